"""Sees to it that every notice is sent at least once, on every channel, in order.

Owns the outbox after a notice was written: leases, attempts, the retry ladder. Nothing is sent
while the writers' lock is held: claim in one transaction, send, record in another. A sender that
dies between sending and recording leads to a second message with the same notice id, never to a
loss. What is merged, and what a late notice says, is late.py's; what failures mean for a channel is
health.py's. Called by the Dagster delivery job, by `ccpay watch` and by trial.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from ccpay_io.alerts.channels import Message, Sent, send
from ccpay_io.alerts.health import judge_channel, judge_gone
from ccpay_io.alerts.late import as_sent, merge
from ccpay_io.feeds.poll import utc_now
from ccpay_io.settings import Settings
from ccpay_io.store.rows import one
from ccpay_io.store.writer import Warehouse

LEASE = timedelta(minutes=2)
LADDER = tuple(timedelta(seconds=s) for s in (30, 120, 600, 1800, 7200, 21_600))
GIVE_UP_AFTER = timedelta(hours=48)

# A notice waits while an earlier one about one of its alerts is on its way to the same channel.
_DUE = """
    WITH waiting AS (
        SELECT * FROM store.alert_outbox
        WHERE delivered_at IS NULL AND dead_at IS NULL AND merged_into IS NULL
    )

    SELECT n.notice_id, n.attempts
    FROM waiting AS n
    WHERE n.next_attempt_at <= $now AND coalesce(n.claimed_until, $now) <= $now
      AND NOT EXISTS (
          FROM waiting AS earlier
          WHERE earlier.channel = n.channel AND earlier.poll_id < n.poll_id
            AND list_has_any(earlier.alert_ids, n.alert_ids))
    ORDER BY n.poll_id, n.notice_id
"""


@dataclass(frozen=True)
class DeliveryReport:
    """How many notices were sent, failed for now, and were given up."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


@dataclass(frozen=True)
class _Claim:
    """A notice that this process may send until its lease ends."""

    channel: str
    attempt: int
    created: datetime
    message: Message


def due_notices(con: duckdb.DuckDBPyConnection, now: datetime) -> list[tuple[str, int]]:
    """(notice id, attempts so far) of everything that should be sent now; reads only."""
    return con.execute(_DUE, {"now": now}).fetchall()


def deliver(
    warehouse: Warehouse,
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
) -> DeliveryReport:
    """Sends everything that is due, one notice after the other, until nothing is.

    Returns:
        The report; a failing channel is not an error but a later attempt.
    """
    counts = {"sent": 0, "failed": 0, "dead": 0}
    while claimed := _claim(warehouse, settings, now()):
        started = now()
        result = send(claimed.channel, claimed.message, settings)
        counts[_record(warehouse, settings, claimed, result, started, now())] += 1
    return DeliveryReport(**counts)


def _claim(warehouse: Warehouse, settings: Settings, now: datetime) -> _Claim | None:
    """Takes a lease on the first notice that is due."""
    with warehouse.transaction() as con:
        judge_gone(con, settings, now)
        merge(con, now)
        due = due_notices(con, now)
        if not due:
            return None
        notice_id, attempts = due[0]
        con.execute(
            "UPDATE store.alert_outbox SET claimed_until = ?, attempts = ? WHERE notice_id = ?",
            [now + LEASE, attempts + 1, notice_id],
        )
        channel, created, *content = one(
            con,
            "SELECT channel, created_at, severity, title, body, payload, transition, incident"
            " FROM store.alert_outbox WHERE notice_id = ?",
            [notice_id],
        )
        message = as_sent(con, Message(notice_id, *content), created, now)
        return _Claim(channel, attempts + 1, created, message)


def _record(
    warehouse: Warehouse,
    settings: Settings,
    claimed: _Claim,
    result: Sent,
    started: datetime,
    finished: datetime,
) -> str:
    """Writes down what became of an attempt; returns "sent", "failed" or "dead"."""
    outcome = "sent" if result.ok else "failed"
    if not result.ok and (result.permanent or finished - claimed.created > GIVE_UP_AFTER):
        outcome = "dead"
    notice_id = claimed.message.notice_id
    with warehouse.transaction() as con:
        con.execute(
            "INSERT INTO store.alert_delivery VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                notice_id, claimed.attempt, started, finished, outcome,
                result.status_code, result.error, result.provider_id,
            ],
        )  # fmt: skip
        con.execute(
            "UPDATE store.alert_outbox SET claimed_until = NULL, delivered_at = ?, dead_at = ?,"
            " next_attempt_at = ? WHERE notice_id = ? AND delivered_at IS NULL",
            [
                finished if outcome == "sent" else None,
                finished if outcome == "dead" else None,
                finished + _pause(claimed.attempt, result),
                notice_id,
            ],
        )
        judge_channel(con, settings, claimed.channel, outcome, finished)
    return outcome


def _pause(attempt: int, result: Sent) -> timedelta:
    """The ladder's step, spread a little so that receivers are not hit in step.

    A receiver may ask for a longer pause, but for none that would outlast the ladder.
    """
    step = LADDER[min(attempt, len(LADDER)) - 1] * random.uniform(1.0, 1.1)  # noqa: S311
    asked = min(result.retry_after_s or 0, LADDER[-1].total_seconds())
    return max(step, timedelta(seconds=asked))
