"""The views of alerts against their recomputation, on a story with everything in it."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import duckdb
import pytest
from alert_timeline import Clock, Timeline, live_settings
from comparing import differences, rows_of
from receiver import receiving
from test_proof import KEYS
from truth import VIEWS, Book
from truth.alerts import TABLES

from ccpay_io.alerts import deliver
from ccpay_io.alerts.control import Matchers, acknowledge, silence
from ccpay_io.config import WatchSettings
from ccpay_io.settings import Secret

ALERT_VIEWS = ("alert_episode", "notice_delivery")


@pytest.fixture
def story(tmp_path: Path) -> Timeline:
    """A chain that is acknowledged, one that is silenced, an outage, a channel that fails.

    And at the end an alert about a second maintenance, silenced until now but for two outages that
    explained it: what is still open, has several causes, or namesakes, is counted otherwise.
    """
    with receiving(*[(status, {}) for status in (500, 502, 503, 504)]) as receiver:
        watch, urls = WatchSettings(chains=("TRX",)), (Secret(receiver.url),)
        timeline = Timeline(live_settings(tmp_path / "data", alert_urls=urls, watch=watch))
        clock = Clock(timeline.seen_at(1))

        def drain(minutes: float) -> None:
            clock.moment = timeline.seen_at(timeline.ticks) + timedelta(minutes=minutes)
            deliver(timeline.warehouse, timeline.settings, now=clock)

        timeline.play("nn mm")
        drain(1)
        ((alert_id,),) = timeline.rows("SELECT alert_id FROM store.alert_episode")
        timeline.wait(121)
        timeline.play("m")
        acknowledge(timeline.warehouse, alert_id, author="ann", reason="on it")
        drain(90)
        # The engine's clock is the polls'; a silence of theirs is put down by hand.
        plan(timeline, "BSC")
        both = {"BTC": "Normal", "ETH": "Normal", "TRX": "Maintenance", "BSC": "Maintenance"}
        timeline.play_lists([both] * 4)
        timeline.play("xxx")
        drain(200)
        timeline.play("mmm n n n")
        timeline.play("xx nnn")
        drain(400)
        plan(timeline, "TRX")
        timeline.play("mm xx mmm xx mmm")
        drain(500)
    return timeline


def plan(timeline: Timeline, chain: str) -> None:
    """Silences a chain from the beginning of time to the end of it."""
    number = silence(
        timeline.warehouse,
        Matchers(chain=chain),
        until=timeline.seen_at(1).replace(year=2100),
        author="bob",
        reason="planned",
    )
    with timeline.warehouse.transaction() as con:
        con.execute(
            "UPDATE store.alert_silence SET starts_at = '2026-01-01' WHERE silence_id = ?", [number]
        )


def test_alerts_are_as_recomputed(story: Timeline) -> None:
    """Counts, muted times, the first taken notice, the maintenance: the same by another way."""
    con = duckdb.connect(str(story.warehouse.private), read_only=True)
    try:
        con.execute("SET TimeZone = 'UTC'; BEGIN")
        ((now,),) = con.execute("SELECT now()").fetchall()
        records = {name: rows_of(con, f"FROM store.{name}") for name in TABLES}
        book = Book(story.polls, now.astimezone(UTC), records=records)
        found = {name: rows_of(con, f"FROM {name}") for name in ALERT_VIEWS}
    finally:
        con.close()
    wrong = {name: differences(KEYS[name], found[name], VIEWS[name](book)) for name in ALERT_VIEWS}
    assert wrong == {name: [] for name in ALERT_VIEWS}
    # A story in which a column is always the same proves nothing about it.
    for name in ALERT_VIEWS:
        columns = {key for row in found[name] for key in row}
        same = {c for c in columns if len({str(row[c]) for row in found[name]}) == 1}
        assert same == set()
