"""Sees to it that every notice is sent at least once, on every channel, in order.

Owns the outbox after a notice was written: leases, attempts, the retry ladder. Nothing is sent
while the writers' lock is held: claim in one transaction, send, record in another. A sender that
dies between sending and recording leads to a second message with the same notice id, never to a
loss.
Called by the Dagster delivery job and by `ccpay watch`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from ccpay_io.alerts.channels import Message, Sent, send
from ccpay_io.feeds.poll import utc_now
from ccpay_io.settings import Settings
from ccpay_io.store.writer import Warehouse

LEASE = timedelta(minutes=2)
LADDER = tuple(timedelta(seconds=s) for s in (30, 120, 600, 1800, 7200, 21_600))
GIVE_UP_AFTER = timedelta(hours=48)

# A notice waits while an earlier one about one of its alerts is on its way to the same channel.
_DUE = """
    SELECT n.notice_id, n.attempts
    FROM store.alert_outbox AS n
    WHERE n.delivered_at IS NULL AND n.dead_at IS NULL
      AND n.next_attempt_at <= $now AND coalesce(n.claimed_until, $now) <= $now
      AND NOT EXISTS (
          FROM store.alert_outbox AS earlier
          WHERE earlier.channel = n.channel AND earlier.poll_id < n.poll_id
            AND earlier.delivered_at IS NULL AND earlier.dead_at IS NULL
            AND list_has_any(earlier.alert_ids, n.alert_ids))
    ORDER BY n.poll_id, n.notice_id
"""


@dataclass(frozen=True)
class DeliveryReport:
    """How many notices were sent, failed for now, and were given up."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


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
    while claimed := _claim(warehouse, now()):
        channel, attempt, created, message = claimed
        started = now()
        result = send(channel, message, settings)
        counts[_record(warehouse, message, attempt, created, result, started, now())] += 1
    return DeliveryReport(**counts)


def _claim(warehouse: Warehouse, now: datetime) -> tuple[str, int, datetime, Message] | None:
    """Takes a lease on the first notice that is due; its channel, attempt, age and content."""
    with warehouse.transaction() as con:
        due = due_notices(con, now)
        if not due:
            return None
        notice_id, attempts = due[0]
        con.execute(
            "UPDATE store.alert_outbox SET claimed_until = ?, attempts = ? WHERE notice_id = ?",
            [now + LEASE, attempts + 1, notice_id],
        )
        row = con.execute(
            "SELECT channel, created_at, severity, title, body, payload"
            " FROM store.alert_outbox WHERE notice_id = ?",
            [notice_id],
        ).fetchone()
        assert row is not None  # noqa: S101 - it was just read in this transaction
        return row[0], attempts + 1, row[1], Message(notice_id, *row[2:])


def _record(
    warehouse: Warehouse,
    message: Message,
    attempt: int,
    created: datetime,
    result: Sent,
    started: datetime,
    finished: datetime,
) -> str:
    """Writes down what became of an attempt; returns "sent", "failed" or "dead"."""
    outcome = "sent" if result.ok else "failed"
    if not result.ok and (result.permanent or finished - created > GIVE_UP_AFTER):
        outcome = "dead"
    with warehouse.transaction() as con:
        con.execute(
            "INSERT INTO store.alert_delivery VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                message.notice_id, attempt, started, finished, outcome,
                result.status_code, result.error,
            ],
        )  # fmt: skip
        con.execute(
            "UPDATE store.alert_outbox SET claimed_until = NULL, delivered_at = ?, dead_at = ?,"
            " next_attempt_at = ? WHERE notice_id = ?",
            [
                finished if outcome == "sent" else None,
                finished if outcome == "dead" else None,
                finished + _pause(attempt, result),
                message.notice_id,
            ],
        )
    return outcome


def _pause(attempt: int, result: Sent) -> timedelta:
    """The ladder's step, spread a little so that receivers are not hit in step.

    A receiver may ask for a longer pause, but for none that would outlast the ladder.
    """
    step = LADDER[min(attempt, len(LADDER)) - 1] * random.uniform(1.0, 1.1)  # noqa: S311
    asked = min(result.retry_after_s or 0, LADDER[-1].total_seconds())
    return max(step, timedelta(seconds=asked))
