"""freshness: whether the other feeds still bring data while the watch does.

Judged by the watch, because what does not come cannot tell. Time counts only while the watch ran
and the API answered: after a standstill or an outage a feed has its cadences to catch up first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb

from ccpay_io.alerts.observe.source import API_NAME
from ccpay_io.alerts.subject import Observation, Verdict
from ccpay_io.feeds.poll import Poll
from ccpay_io.settings import Settings

_DATASETS = {
    "fees": "withdraw_fee",
    "prices": "coin_price",
    "fiats": "fiat",
    "coins": "swap_coin",
    "networks": "coin_network",
}
LATE_AFTER = 3
DEAD_AFTER = 12
_WATCH_GAP = 3


def observe_freshness(
    con: duckdb.DuckDBPyConnection, poll: Poll, settings: Settings
) -> list[Observation]:
    """One observation per feed that has ever brought data."""
    good = dict(con.execute("SELECT dataset, good_at FROM store.dataset_now").fetchall())
    cadences = {feed: settings.feeds.cadence_s(feed) for feed in _DATASETS}
    since = _watched_since(con, poll, max(cadences.values()))
    return [
        _observation(feed, timedelta(seconds=cadences[feed]), good_at, since, poll.observed_at)
        for feed, dataset in _DATASETS.items()
        if (good_at := good.get(dataset))
    ]


def _observation(
    feed: str, cadence: timedelta, good_at: datetime, since: datetime, now: datetime
) -> Observation:
    waited = now - max(good_at, since)
    verdict: Verdict = "unknown"
    if waited > LATE_AFTER * cadence:
        verdict = "bad"
    elif now - good_at <= LATE_AFTER * cadence:
        verdict = "good"
    dead = waited > DEAD_AFTER * cadence
    return Observation(
        "freshness",
        feed,
        f"data of {feed}",
        verdict,
        f"{'dead' if dead else 'late'}: last answer {good_at:%Y-%m-%d %H:%M} UTC,"
        f" planned every {cadence.total_seconds() / 60:.0f} min",
        "critical" if dead else "warning",
        good_at,
        now,
        raise_after=1,
        clear_after=1,
    )


def _watched_since(con: duckdb.DuckDBPyConnection, poll: Poll, longest_s: int) -> datetime:
    """Since when the watch has been running, and the API answering, without a break."""
    row = con.execute(
        """
        WITH watch AS (
            SELECT observed_at, lag(observed_at) OVER (ORDER BY poll_no) AS before_at
            FROM store.poll
            WHERE feed = 'chains' AND observed_at > $at - to_seconds($horizon_s)
        ),

        source AS (
            SELECT max(coalesce(resolved_at, $at)) AS back_at
            FROM store.alert_episode
            WHERE kind = 'source_health' AND subject = $api
        )

        SELECT greatest(max(w.observed_at), max(s.back_at))
        FROM watch AS w CROSS JOIN source AS s
        WHERE w.before_at IS NULL OR w.observed_at - w.before_at > to_seconds($gap_s)
        """,
        {
            "at": poll.observed_at,
            "horizon_s": (DEAD_AFTER + 1) * longest_s,
            "gap_s": _WATCH_GAP * max(poll.cadence_s, 30),
            "api": API_NAME,
        },
    ).fetchone()
    return row[0] if row and row[0] else poll.observed_at
