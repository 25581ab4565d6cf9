"""Reads what monitoring is told out of one publication.

Owns the queries and what they mean. Nothing is counted here: every count is one of the ledger, so a
restart loses none, and whoever adds up the ledger gets the same. Called by families.py and
health.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from ccpay_io.errors import NothingPublished
from ccpay_io.store.reading import Place, Version, connect_published, newest

_POLLS = """
    SELECT feed, outcome, count(*) AS polls, sum(requests)::BIGINT AS requests,
        sum(answered_count)::BIGINT AS answered, sum(changed_count)::BIGINT AS changed,
        sum(refused_count)::BIGINT AS refused, sum(unknown_count)::BIGINT AS unknown,
        sum(epoch(observed_at) - epoch(started_at)) AS seconds
    FROM store.ledger GROUP BY ALL ORDER BY ALL
"""
_LAST_ANSWERS = """
    SELECT feed, max(observed_at) FROM store.ledger
    WHERE outcome IN ('ok', 'partial') GROUP BY feed ORDER BY feed
"""
_ALERTS = """
    SELECT kind, severity, count(*), count(*) FILTER (WHERE resolved_at IS NULL)
    FROM alert_episode GROUP BY ALL ORDER BY ALL
"""
_NOTICES = """
    SELECT channel, count(DISTINCT notice_id) FILTER (WHERE delivered_at IS NOT NULL),
        count(DISTINCT notice_id) FILTER (WHERE delivered_at IS NULL)
    FROM notice_delivery GROUP BY channel ORDER BY channel
"""
_BUDGET = """
    SELECT requests_used, requests_left, requests_allowed, is_quota_exhausted, pace_rps,
        breaker_since
    FROM api_budget_now
"""


@dataclass(frozen=True)
class Polls:
    """The polls of a feed with the same outcome, since the warehouse was made."""

    feed: str
    outcome: str
    polls: int
    requests: int
    answered: int
    changed: int
    refused: int
    unknown: int
    seconds: float


@dataclass(frozen=True)
class Alerts:
    """Alerts of a kind and severity: that ever opened, and that are open."""

    kind: str
    severity: str
    opened: int
    open: int


@dataclass(frozen=True)
class Notices:
    """Notices of a channel: that it took, and that it has not taken."""

    channel: str
    delivered: int
    waiting: int


@dataclass(frozen=True)
class Budget:
    """What may be asked; None where it is not known at this moment."""

    used: int | None
    left: int | None
    allowed: int
    is_quota_exhausted: bool
    pace_rps: float
    banned_since: datetime | None


@dataclass(frozen=True)
class Figures:
    """Everything that monitoring is told about one publication.

    Attributes:
        published_at: when it was published, in UTC.
        size: bytes of the published file; None for a lake, which has none.
        answered_at: feed -> when a poll of it was last answered, in UTC.
        budget: None before the first poll that noted it.
    """

    published_at: datetime
    size: int | None
    polls: Sequence[Polls]
    answered_at: dict[str, datetime]
    alerts: Sequence[Alerts]
    notices: Sequence[Notices]
    budget: Budget | None


class Source:
    """The newest figures of a warehouse; a publication is read once, however often it is asked for.

    Args:
        place: the warehouse folder, or the lake.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._read: tuple[Version, Figures] | None = None

    def newest(self) -> Figures | None:
        """The figures of the newest publication, or None before the first."""
        version = newest(self._place)
        if version is None:
            return None
        if self._read is None or self._read[0] != version:
            try:
                self._read = (version, read_figures(self._place, version))
            except NothingPublished:
                return None
        return self._read[1]


def read_figures(place: Place, version: Version) -> Figures:
    """The figures of the newest publication.

    Args:
        place: the warehouse folder, or the lake.
        version: its newest; one that is newer still by now is as good.
    """
    with connect_published(place) as con:
        answered: list[tuple[str, datetime]] = _rows(con, _LAST_ANSWERS)
        budget = _rows(con, _BUDGET)
        return Figures(
            published_at=version.published_at,
            size=version.size,
            polls=[Polls(*row) for row in _rows(con, _POLLS)],
            answered_at=dict(answered),
            alerts=[Alerts(*row) for row in _rows(con, _ALERTS)],
            notices=[Notices(*row) for row in _rows(con, _NOTICES)],
            budget=Budget(*budget[0]) if budget else None,
        )


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()
