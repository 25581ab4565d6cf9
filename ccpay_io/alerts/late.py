"""Notices that leave late: what is over before it was told is told once, and late says so.

Owns the merging of an undelivered beginning into the notice of its end, and what a notice says of
the time it was sent. Called by delivery.py.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import duckdb

from ccpay_io.alerts import words
from ccpay_io.alerts.channels import Message

# Longer than any delivery that went well.
LATE_AFTER = timedelta(minutes=2)

# Whatever was not told of alerts that have ended since, and is not under way at this moment.
_MERGE = """
    UPDATE store.alert_outbox AS early
    SET merged_into = late.notice_id
    FROM store.alert_outbox AS late
    WHERE late.channel = early.channel AND late.poll_id > early.poll_id
      AND len(late.ended_ids) > 0 AND list_has_all(late.ended_ids, early.alert_ids)
      AND late.delivered_at IS NULL AND late.dead_at IS NULL AND late.merged_into IS NULL
      AND early.delivered_at IS NULL AND early.dead_at IS NULL AND early.merged_into IS NULL
      AND coalesce(early.claimed_until, $now) <= $now
      AND early.transition NOT IN ('digest', 'test')
"""

# Something whose end the notice tells, and of which its channel was told nothing before: the notice
# that should have is merged into this one, or was given up.
_UNTOLD = """
    SELECT n.late_title
    FROM store.alert_outbox AS n
    JOIN store.alert_outbox AS early
        ON early.channel = n.channel AND early.poll_id < n.poll_id
        AND list_has_any(early.alert_ids, n.ended_ids)
    WHERE n.notice_id = ? AND n.late_title IS NOT NULL
      AND early.transition NOT IN ('reminder', 'resolved', 'closed')
      AND (early.merged_into = n.notice_id OR early.dead_at IS NOT NULL)
      AND NOT EXISTS (
          FROM store.alert_outbox AS told
          WHERE told.channel = n.channel AND told.delivered_at IS NOT NULL
            AND list_has_any(told.alert_ids, list_intersect(early.alert_ids, n.ended_ids)))
    LIMIT 1
"""


def merge(con: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Leaves to the notice of an end what could not be told before it.

    Only when it ends all that the earlier notice is about; else both are sent, in order.
    """
    con.execute(_MERGE, {"now": now})


def as_sent(
    con: duckdb.DuckDBPyConnection, message: Message, created: datetime, now: datetime
) -> Message:
    """The message as it leaves now.

    Args:
        con: to see what its channel was told before.
        message: as it was written.
        created: when that was, which is when it happened.
        now: when it leaves.
    """
    untold = con.execute(_UNTOLD, [message.notice_id]).fetchone()
    title = untold[0] if untold else message.title
    body = message.body
    if now - created > LATE_AFTER:
        happened, left = words.clock(created), words.clock(now)
        # The id of the notice stays the last line: receivers look for it there.
        text, _, last = body.rpartition("\n")
        body = f"{text}\nLate: it was found at {happened} and sent at {left}.\n{last}"
    payload = {**json.loads(message.payload), "title": title, "body": body}
    payload["sent_at"] = now.isoformat()
    data = json.dumps(payload)
    return replace(message, title=title, body=body, payload=data, is_untold=untold is not None)
