"""The outbox: notices as rows, from when they are written until they are sent.

Owns how a notice gets into store.alert_outbox. What is in it is notices.py's and trial.py's; what
becomes of it delivery.py's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

_COLUMNS = (
    "notice_id, channel, transition, severity, alert_ids, title, body, payload, poll_id,"
    " created_at, attempts, next_attempt_at, incident, ended_ids, late_title"
)


@dataclass(frozen=True)
class Entry:
    """One notice for one channel.

    Attributes:
        notice_id: what receivers tell repetitions by.
        transition: of the notice as a whole; "test" for a trial.
        alert_ids: what it is about, under every id that a channel may know it by.
        incident: what a paging service knows it by.
        ended_ids: those of alert_ids whose end it tells.
        late_title: its title when what it ends was never told.
    """

    notice_id: str
    channel: str
    transition: str
    severity: str
    title: str
    body: str
    payload: Mapping[str, Any]
    poll_id: int
    at: datetime
    incident: str
    alert_ids: Sequence[str] = ()
    ended_ids: Sequence[str] = ()
    late_title: str | None = None


def put(con: duckdb.DuckDBPyConnection, entry: Entry) -> None:
    """Writes a notice, due at once; its id is the last line of its text, and in its payload."""
    body = f"{entry.body}\nnotice {entry.notice_id}"
    payload = {
        "notice_id": entry.notice_id,
        "transition": entry.transition,
        "title": entry.title,
        "body": body,
        **entry.payload,
    }
    con.execute(
        f"INSERT INTO store.alert_outbox ({_COLUMNS})"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)",
        [
            entry.notice_id, entry.channel, entry.transition, entry.severity,
            list(entry.alert_ids), entry.title, body, json.dumps(payload), entry.poll_id,
            entry.at, entry.at, entry.incident, list(entry.ended_ids), entry.late_title,
        ],
    )  # fmt: skip
