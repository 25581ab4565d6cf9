"""Notices that cannot be sent when they are written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from alert_timeline import OTHERS, Clock, Timeline, chain_poll, live_settings
from receiver import Receiver

from ccpay_io.alerts import deliver, send_test
from ccpay_io.config import AlertSettings, ChannelFilter
from ccpay_io.settings import Secret

FAILING = [(503, {})] * 50


def tell(root: Path, *urls: str) -> Timeline:
    """A timeline whose notices go to these URLs."""
    return Timeline(live_settings(root, alert_urls=tuple(map(Secret, urls))))


def drain(timeline: Timeline, clock: Clock, *, after_s: float = 0) -> None:
    """Time passes, then everything that is due is sent."""
    clock.pass_s(after_s)
    deliver(timeline.warehouse, timeline.settings, now=clock)


def test_what_is_over_before_it_was_told_is_told_once(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """Scenario 20: a channel that was away for the whole episode hears one late notice."""
    receiver.answers = list(FAILING)
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    drain(timeline, clock, after_s=60)
    timeline.wait(30)
    timeline.play("nnn")
    receiver.answers.clear()
    drain(timeline, clock, after_s=3600)

    (last,) = receiver.accepted
    assert last.data["transition"] == "resolved"
    assert (
        last.data["title"]
        == "TRX was in maintenance from 2026-03-02 10:01 to 10:17 UTC, reported late"
    )
    assert "Late: it was found at 2026-03-02 10:18:01 UTC and sent at" in last.data["body"]
    assert last.data["sent_at"] == clock().isoformat()
    ((merged,),) = timeline.rows(
        "SELECT merged_into FROM store.alert_outbox"
        " WHERE channel <> 'log' AND transition = 'opened'"
    )
    assert merged == last.notice_id
    # The log was there all the time, and hears both.
    assert len((root / "alerts.log").read_text("utf-8").splitlines()) == 2


@pytest.mark.parametrize(
    ("refused", "title"),
    [
        pytest.param(404, "TRX was in maintenance from 2026-03-02 10:01 to", id="never told"),
        pytest.param(200, "TRX is back to normal after", id="told in time"),
    ],
)
def test_the_end_of_what_was_given_up_is_no_bare_recovery(
    root: Path, receiver: Receiver, clock: Clock, refused: int, title: str
) -> None:
    """A beginning that the channel refused for good was not told either."""
    receiver.answers = [(refused, {})]
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    drain(timeline, clock, after_s=60)
    timeline.play("nnn")
    drain(timeline, clock, after_s=600)
    assert receiver.accepted[-1].data["title"].startswith(title)


def test_a_merged_reminder_does_not_make_the_end_late_news(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """The channel heard the beginning, so it hears the end as such, and no reminder after it."""
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    drain(timeline, clock, after_s=60)
    timeline.wait(120)
    timeline.play("m nnn")
    drain(timeline, clock, after_s=7200)
    first, last = receiver.received
    assert (first.data["transition"], last.data["transition"]) == ("opened", "resolved")
    assert last.data["title"].startswith("TRX is back to normal after")


def test_a_late_digest_tells_what_was_and_what_is(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """An outage that nobody was told of, and the chain that broke during it, are one message."""
    timeline = tell(root, receiver.url)
    timeline.play("nn xxx mmmm")
    drain(timeline, clock, after_s=3600)
    (request,) = receiver.received
    assert request.data["transition"] == "digest"
    was, _, news = request.data["title"].partition(", reported late; ")
    assert was.startswith("CCPayment API gave no answers from 2026-03-02 10:01 to 10:0")
    assert news == "TRX is in maintenance"
    *_, late, notice = request.data["body"].splitlines()
    assert late.startswith("Late: it was found at ")
    assert notice == f"notice {request.notice_id}"


def test_a_test_notice_is_never_merged(root: Path, receiver: Receiver, clock: Clock) -> None:
    """It is about no alert, so no alert's end tells what it would have told."""
    receiver.answers = [(503, {})]
    timeline = tell(root, receiver.url)
    send_test(timeline.warehouse, timeline.settings, now=clock)
    timeline.play("nn mm nnn")
    drain(timeline, clock, after_s=600)
    told = sorted(request.data["transition"] for request in receiver.accepted)
    assert told == ["resolved", "test"]


def test_a_group_of_which_a_part_is_over_is_told_in_order(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """The beginning of what is still so must be told; the end of the rest comes after it."""
    timeline = tell(root, receiver.url)
    both = [{"TRX": word, "BSC": word} for word in ("Normal", "Maintenance", "Maintenance")]
    timeline.play_lists(both + [{"TRX": "Normal", "BSC": "Maintenance"}] * 3)
    drain(timeline, clock, after_s=600)
    assert [request.data["transition"] for request in receiver.received] == ["opened", "resolved"]


def test_what_is_under_way_is_not_merged(root: Path, receiver: Receiver, clock: Clock) -> None:
    """A notice that some process is sending at this moment goes its own way."""
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    with timeline.warehouse.transaction() as con:
        con.execute(
            "UPDATE store.alert_outbox SET claimed_until = ?", [clock() + timedelta(hours=1)]
        )
    timeline.play("nnn")
    drain(timeline, clock, after_s=60)
    assert receiver.received == []
    drain(timeline, clock, after_s=3600)
    assert [request.data["transition"] for request in receiver.received] == ["resolved"]


def test_a_notice_in_time_does_not_call_itself_late(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """Every payload says when it was sent; only a late one explains it."""
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    drain(timeline, clock, after_s=100)
    (request,) = receiver.received
    assert "Late" not in request.data["body"]
    assert request.data["sent_at"] == clock().isoformat()


def test_a_reminder_reaches_every_channel_by_itself(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """Scenario 24: each channel has its own reminder, and its own success."""
    timeline = tell(root, receiver.url)
    timeline.play("nn mm")
    drain(timeline, clock)
    timeline.wait(120)
    timeline.play("m")
    drain(timeline, clock, after_s=3700)
    assert [r.data["transition"] for r in receiver.accepted] == ["opened", "reminder"]
    assert receiver.accepted[-1].data["title"] == "TRX still is in maintenance (61 min)"
    rows = timeline.rows(
        "SELECT channel <> 'log' FROM store.alert_outbox WHERE transition = 'reminder'"
    )
    assert sorted(rows) == [(False,), (True,)]


def test_one_filter_per_channel(root: Path, receiver: Receiver, clock: Clock) -> None:
    """A channel hears its kinds and severities, and the end of what it heard."""
    only_source = AlertSettings(channels=(ChannelFilter(number=1, kinds=("source_health",)),))
    urls = (Secret(f"{receiver.url}/a"), Secret(f"{receiver.url}/b"))
    timeline = Timeline(live_settings(root, alert_urls=urls, alerts=only_source))
    timeline.play("nn mm nnn")
    timeline.commit([chain_poll(dict.fromkeys((*OTHERS, "TRX"), "Normal"), timeline.at(9))])
    timeline.wait(2)
    timeline.play("xx nnn")
    drain(timeline, clock, after_s=600)
    heard = [(request.path, request.data["transition"]) for request in receiver.received]
    assert sorted(heard) == [("/a", "resolved"), ("/b", "resolved"), ("/b", "resolved")]
