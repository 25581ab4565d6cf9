"""What failures of a channel lead to: who is told, and who is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from alert_timeline import Clock, Timeline, live_settings
from receiver import Receiver, receiving

from ccpay_io.alerts import deliver
from ccpay_io.config import AlertSettings, ChannelFilter
from ccpay_io.settings import Secret

FAILING = [(503, {})] * 50


def tell(root: Path, *urls: str, alerts: AlertSettings | None = None) -> Timeline:
    """A timeline whose notices go to these URLs."""
    secrets = tuple(map(Secret, urls))
    return Timeline(live_settings(root, alert_urls=secrets, alerts=alerts or AlertSettings()))


def drain(timeline: Timeline, clock: Clock, *, after_s: float) -> None:
    """Time passes, then everything that is due is sent."""
    clock.pass_s(after_s)
    deliver(timeline.warehouse, timeline.settings, now=clock)


def told_of_channels(timeline: Timeline) -> list[tuple[str, str]]:
    """(channel, transition) of all notices about channels but reminders, in order."""
    return timeline.rows(
        "SELECT channel, transition FROM store.alert_outbox"
        " WHERE payload::JSON ->> '$.alerts[0].kind' = 'delivery' AND transition <> 'reminder'"
        " ORDER BY poll_id, channel"
    )


def failing_channel(timeline: Timeline) -> str:
    """The key of the channel that an alert is about."""
    ((title,),) = timeline.rows(
        "SELECT subject FROM store.alert_episode WHERE kind = 'delivery' LIMIT 1"
    )
    return str(title).removeprefix("channel ")


@pytest.mark.parametrize("failures", [3, 1])
def test_a_channel_that_takes_nothing_is_told_to_the_others(
    root: Path, receiver: Receiver, clock: Clock, failures: int
) -> None:
    """Three failures in a row are an alert on every other channel, and one success ends it."""
    receiver.answers = [(500, {})] * failures
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    for _ in range(5):
        drain(timeline, clock, after_s=3600)
    told = timeline.rows(
        "SELECT channel, transition, title FROM store.alert_outbox"
        " WHERE title LIKE 'channel%' ORDER BY poll_id"
    )
    (key,) = {channel for (channel,) in timeline.rows("SELECT channel FROM store.alert_outbox")} - {
        "log"
    }
    assert told == (
        [
            ("log", "opened", f"channel {key} takes no notices"),
            ("log", "resolved", f"channel {key} takes notices again"),
        ]
        if failures == 3
        else []
    )  # fmt: skip


def test_a_refusal_for_good_is_told_at_once(root: Path, receiver: Receiver, clock: Clock) -> None:
    """A dead letter is a loss: somebody else has to hear of it."""
    receiver.answers = [(404, {})]
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    drain(timeline, clock, after_s=60)
    ((value,),) = timeline.rows("SELECT value FROM store.alert_episode WHERE kind = 'delivery'")
    assert value == "dead: HTTP 404"
    assert "takes no notices" in (root / "alerts.log").read_text("utf-8")


def test_every_other_channel_is_told_whatever_it_asked_for(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """A filter by kind does not keep the news of a failing channel away."""
    with receiving((404, {})) as failing:
        only_fees = AlertSettings(channels=(ChannelFilter(number=2, kinds=("fee_level",)),))
        timeline = tell(root, failing.url, receiver.url, alerts=only_fees)
        timeline.play("nn mm")
        drain(timeline, clock, after_s=60)
        assert len(failing.received) == 1
    (request,) = receiver.received
    assert request.data["severity"] == "critical"
    assert request.data["title"] == f"channel {failing_channel(timeline)} takes no notices"


def test_failures_of_several_notices_count_together(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """Three notices that fail once each say as much as one that fails three times."""
    receiver.answers = list(FAILING)
    timeline = tell(root, receiver.url)
    names = "ABC"
    timeline.play_lists([
        {name: "Maintenance" if tick > number else "Normal" for number, name in enumerate(names)}
        for tick in range(5)
    ])  # fmt: skip
    clock.moment = timeline.seen_at(5)
    drain(timeline, clock, after_s=0)
    assert len({request.notice_id for request in receiver.received}) == 3
    assert told_of_channels(timeline) == [("log", "opened")]


def test_a_success_in_between_starts_the_count_anew(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """Only failures in a row count."""
    receiver.answers = [(503, {}), (503, {}), (200, {}), (503, {}), (503, {}), (200, {})]
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    for _ in range(4):
        drain(timeline, clock, after_s=3600)
    timeline.play("nnn")
    for _ in range(4):
        drain(timeline, clock, after_s=3600)
    assert [request.status for request in receiver.received] == [503, 503, 200] * 2
    assert told_of_channels(timeline) == []


def test_a_channel_that_fails_on_is_told_once(root: Path, receiver: Receiver, clock: Clock) -> None:
    """Failing and then dead is one episode: the later attempts are no news."""
    receiver.answers = list(FAILING)
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    for _ in range(8):
        drain(timeline, clock, after_s=7 * 3600)
    ((dead,),) = timeline.rows("SELECT count(*) FROM store.alert_outbox WHERE dead_at IS NOT NULL")
    assert dead == 1
    assert told_of_channels(timeline) == [("log", "opened")]


def test_a_channel_that_is_gone_is_closed_once_and_its_notices_given_up(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """What fails because nobody asks for it any more is no news, and ends after 48 hours."""
    receiver.answers = list(FAILING)
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    for _ in range(3):
        drain(timeline, clock, after_s=3600)
    without = Timeline(live_settings(root))
    for _ in range(8):
        drain(without, clock, after_s=7 * 3600)
    assert told_of_channels(without) == [("log", "opened"), ("log", "closed")]
    assert "is no longer configured" in (root / "alerts.log").read_text("utf-8")
    ((given_up,),) = without.rows(
        "SELECT dead_at IS NOT NULL FROM store.alert_outbox WHERE channel <> 'log'"
    )
    assert given_up
    ((error,),) = without.rows(
        "SELECT arg_max(error, attempt) FROM store.alert_delivery WHERE outcome = 'dead'"
    )
    assert error == "this channel is not configured here"
    assert without.rows("FROM store.alert_state WHERE kind = 'delivery'") == []


def test_the_log_can_fail_too(root: Path, receiver: Receiver, clock: Clock) -> None:
    """A disk that is full, or a file that is no file, is told to the other channels."""
    (root / "alerts.log").mkdir()
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    for _ in range(4):
        drain(timeline, clock, after_s=3600)
    assert "channel log takes no notices" in [r.data["title"] for r in receiver.accepted]


@pytest.mark.parametrize("refused", [403, 503])
def test_two_failing_channels_end_in_silence(
    root: Path, receiver: Receiver, clock: Clock, refused: int
) -> None:
    """Each is told of the other once, the log of both, and nothing follows from that."""
    receiver.answers = [(refused, {})] * 200
    timeline = tell(root, f"{receiver.url}/a", f"{receiver.url}/b")
    timeline.play("nn mm")
    for _ in range(4):
        drain(timeline, clock, after_s=8 * 3600)
    assert len(told_of_channels(timeline)) == 4
    # Reminders go to those who may take them.
    reminded = timeline.rows("SELECT channel FROM store.alert_outbox WHERE title LIKE '%still%'")
    assert set(reminded) <= {("log",)}
