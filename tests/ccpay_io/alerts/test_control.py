"""What people say about alerts, as rows that the engine and readers find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from alert_timeline import OTHERS, Timeline, chain_poll

from ccpay_io.alerts.control import Matchers, acknowledge, silence, unsilence
from ccpay_io.alerts.listing import open_alerts, story_of, title_of
from ccpay_io.errors import ConfigError
from ccpay_io.store.reading import connect_published

SOON = timedelta(hours=2)


def look(timeline: Timeline, word: str, *, times: int = 1, chain: str = "TRX") -> None:
    """That many polls, just now, in which the chain says this and the others Normal."""
    said = {**dict.fromkeys((*OTHERS, "TRX"), "Normal"), chain: word}
    for _ in range(times):
        timeline.commit([chain_poll(said, datetime.now(UTC))])


def alert_id(timeline: Timeline) -> str:
    """The latest alert."""
    (*_, (found,)) = timeline.rows("SELECT alert_id FROM store.alert_episode ORDER BY opened_at")
    return str(found)


def told(timeline: Timeline) -> list[str]:
    """The words of all notices so far."""
    rows = timeline.rows("SELECT transition FROM store.alert_outbox ORDER BY poll_id")
    return [word for (word,) in rows]


@pytest.fixture
def open_alert(timeline: Timeline) -> str:
    """The id of a maintenance of TRX that was told."""
    look(timeline, "Normal")
    look(timeline, "Maintenance", times=2)
    return alert_id(timeline)


def test_readers_see_it_at_once(timeline: Timeline, open_alert: str) -> None:
    """Both are in the published file when the call returns, not only after the next poll."""
    acknowledge(timeline.warehouse, open_alert, author="ann", reason="on it")
    number = silence(
        timeline.warehouse,
        Matchers(chain="TRX"),
        until=datetime.now(UTC) + SOON,
        author="bob",
        reason="planned",
    )
    with connect_published(timeline.settings.warehouse) as con:
        acks = con.execute("SELECT alert_id, author, reason FROM store.alert_ack").fetchall()
        silences = con.execute("SELECT silence_id, chain, author FROM store.alert_silence")
        assert acks == [(open_alert, "ann", "on it")]
        assert silences.fetchall() == [(number, "TRX", "bob")]


def test_an_acknowledgement_ends_with_the_alert(timeline: Timeline, open_alert: str) -> None:
    """The next alert about the same chain is news again, and the row says why it ended."""
    acknowledge(timeline.warehouse, open_alert, author="ann", reason="on it")
    look(timeline, "Normal", times=3)
    assert told(timeline)[-1] == "resolved"
    assert timeline.rows("SELECT cleared_by FROM store.alert_ack") == [("resolved",)]
    with pytest.raises(ConfigError, match="is over since"):
        acknowledge(timeline.warehouse, open_alert, author="ann", reason="on it")


def test_who_took_over_and_from_whom_can_be_read(timeline: Timeline, open_alert: str) -> None:
    """One person works on an alert, the last one who said so; the others are not forgotten."""
    for author in ("ann", "bob"):
        acknowledge(timeline.warehouse, open_alert, author=author, reason=f"{author} is on it")
    rows = timeline.rows("SELECT author, cleared_by FROM store.alert_ack ORDER BY acked_at")
    assert rows == [("ann", "acknowledged"), ("bob", None)]
    assert timeline.rows("SELECT acked_by FROM alert_episode") == [("bob",)]
    with connect_published(timeline.settings.warehouse) as con:
        (alert,) = open_alerts(con)
        said = [what for _, what in story_of(con, open_alert) if what.startswith("ack")]
    assert alert.also == "acknowledged by bob"
    assert said == [f"acknowledged by {name}: {name} is on it" for name in ("ann", "bob")]


def test_a_silence_lets_the_end_through(timeline: Timeline, open_alert: str) -> None:
    """Whoever heard that it began hears that it is over."""
    until = datetime.now(UTC) + SOON
    matchers = Matchers(alert_id=open_alert[:12])
    silence(timeline.warehouse, matchers, until=until, author="bob", reason="known")
    look(timeline, "Normal", times=3)
    assert told(timeline) == ["opened", "resolved"]


def test_a_silence_shows_before_the_next_poll(timeline: Timeline, open_alert: str) -> None:
    """The list goes by what is in force now: polls may be an hour apart, or have stopped."""

    def also() -> str:
        with connect_published(timeline.settings.warehouse) as con:
            (alert,) = open_alerts(con)
        return alert.also

    until = datetime.now(UTC) + SOON
    for chain in ("BSC", "trx"):
        silence(timeline.warehouse, Matchers(chain=chain), until=until, author="b", reason="r")
    assert also() == "silence 2"
    look(timeline, "Maintenance")
    unsilence(timeline.warehouse, 2)
    assert also() == ""


def test_the_story_has_bounds_at_both_ends(timeline: Timeline, open_alert: str) -> None:
    """Beginning and end were only sampled, and are told so."""
    look(timeline, "Normal", times=3)
    timeline.warehouse.publish(force=True)
    with connect_published(timeline.settings.warehouse) as con:
        title = title_of(con, open_alert)
    assert "began between" in title
    assert "ended between" in title


def test_what_flaps_and_is_not_open_cannot_be_taken_on(timeline: Timeline) -> None:
    """It is in the list, so it is not unknown: the error says what it is and what can be done."""
    look(timeline, "Normal")
    for _ in range(3):
        look(timeline, "Maintenance", times=2)
        look(timeline, "Normal", times=3)
    with pytest.raises(ConfigError, match="is flapping and not open now") as caught:
        acknowledge(timeline.warehouse, alert_id(timeline), author="ann", reason="on it")
    assert "chain=" in caught.value.hint


@pytest.mark.parametrize("chain", ["TRX", "trx", "Trx"])
def test_a_chain_is_found_in_any_case(timeline: Timeline, open_alert: str, chain: str) -> None:
    """The row has the API's spelling, which is what alerts are matched by."""
    until = datetime.now(UTC) + SOON
    silence(timeline.warehouse, Matchers(chain=chain), until=until, author="b", reason="r")
    assert timeline.rows("SELECT chain FROM store.alert_silence") == [("TRX",)]


def test_silences_have_numbers_of_their_own(timeline: Timeline, open_alert: str) -> None:
    """Also after one ended: a number names one silence for ever."""
    until = datetime.now(UTC) + SOON
    numbers = []
    for _ in range(2):
        numbers.append(
            silence(
                timeline.warehouse,
                Matchers(kind="chain_status"),
                until=until,
                author="b",
                reason="r",
            )
        )
        unsilence(timeline.warehouse, numbers[-1])
    assert numbers == [1, 2]
    with pytest.raises(ConfigError, match="silence 2 is not in force"):
        unsilence(timeline.warehouse, 2)


@pytest.mark.parametrize(
    ("matchers", "ahead", "said"),
    [
        (Matchers(), SOON, "a silence of everything"),
        (Matchers(chain="NOPE"), SOON, "no chain 'NOPE'"),
        (Matchers(coin="NOPE"), SOON, "no coin 'NOPE'"),
        (Matchers(alert_id="zzz"), SOON, "no alert is known"),
        (Matchers(chain="TRX"), -SOON, "is over"),
    ],
)
def test_what_cannot_be_meant_leaves_no_row(
    timeline: Timeline, open_alert: str, matchers: Matchers, ahead: timedelta, said: str
) -> None:
    """One line that says what is wrong, and nothing is silenced."""
    with pytest.raises(ConfigError, match=said) as caught:
        silence(
            timeline.warehouse, matchers, until=datetime.now(UTC) + ahead, author="b", reason="r"
        )
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert timeline.rows("SELECT count(*) FROM store.alert_silence") == [(0,)]
