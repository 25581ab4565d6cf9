"""The ledger: one row for every attempt, and what can be asked of it.

Owns the rows of store.poll, store.cadence, store.drift and how a poll_id is given. Works on a
connection inside the poll's transaction. Called by writer.py; the feeds' planning reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from ccpay_io.feeds.poll import Poll
from ccpay_io.store.datasets import FEED_DATASETS
from ccpay_io.store.rows import one


@dataclass(frozen=True)
class Totals:
    """Row counts of a stored poll, over all of its datasets."""

    changed: int = 0
    refused: int = 0
    unknown: int = 0


def claim_poll_id(con: duckdb.DuckDBPyConnection, poll: Poll) -> int | None:
    """The id under which a poll is stored, or None when this very poll is stored already.

    A poll_id is the poll's start in microseconds. It is raised when another poll has it, and above
    the last stored poll that wrote to one of the same datasets: two sweeps may overlap in time, and
    the change-only store needs its rows in the order in which they were compared. `started_at`
    keeps the true start.
    """
    stored = con.execute(
        "SELECT 1 FROM store.poll WHERE feed = ? AND writer = ? AND started_at = ?",
        [poll.feed, poll.writer, poll.started_at],
    ).fetchone()
    if stored:
        return None
    mine = set(FEED_DATASETS[poll.feed])
    rivals = [feed for feed, datasets in FEED_DATASETS.items() if mine.intersection(datasets)]
    last = "SELECT coalesce(max(poll_id), 0) FROM store.poll WHERE list_contains(?, feed)"
    poll_id: int = max(poll.poll_id, one(con, last, [rivals])[0] + 1)
    while con.execute("SELECT 1 FROM store.poll WHERE poll_id = ?", [poll_id]).fetchone():
        poll_id += 1
    return poll_id


def write_ledger(con: duckdb.DuckDBPyConnection, poll: Poll, totals: Totals) -> None:
    """Appends the poll's row, the cadence when it is a new one, and drift not seen before."""
    raw = poll.raw
    row = {
        "poll_id": poll.poll_id,
        "feed": poll.feed,
        "started_at": poll.started_at,
        "observed_at": poll.observed_at,
        "outcome": poll.outcome,
        "requests": poll.requests,
        "answered_count": poll.answered,
        "changed_count": totals.changed,
        "refused_count": totals.refused,
        "unknown_count": totals.unknown,
        "listed_count": poll.listed,
        "error_code": poll.error_code,
        "error_name": poll.error_name,
        "error_message": poll.error_message,
        "writer": poll.writer,
        "cadence_s": poll.cadence_s,
        "content_hash": poll.content_hash,
        "raw_name": raw.name if raw else None,
        "raw_sha256": raw.sha256 if raw else None,
        "raw_size": raw.size if raw else None,
    }
    columns = ", ".join(row)
    marks = ", ".join("?" * len(row))
    con.execute(f"INSERT INTO store.poll ({columns}) VALUES ({marks})", list(row.values()))
    _note_cadence(con, poll.feed, poll.cadence_s, poll.started_at)
    for drift in poll.drift:
        con.execute(
            """
            INSERT INTO store.drift SELECT $1, $2, $3, $4, $5, $6, $7
            WHERE NOT EXISTS (SELECT 1 FROM store.drift
                WHERE endpoint = $1 AND path = $2 AND kind = $3 AND value = $4)
            """,
            [drift.endpoint, drift.path, drift.kind, drift.value, poll.observed_at, poll.poll_id,
             drift.sample],
        )  # fmt: skip


def _note_cadence(
    con: duckdb.DuckDBPyConnection, feed: str, cadence_s: int, since: datetime
) -> None:
    row = con.execute(
        "SELECT cadence_s FROM store.cadence WHERE feed = ? ORDER BY valid_from DESC LIMIT 1",
        [feed],
    ).fetchone()
    if row is None or row[0] != cadence_s:
        con.execute("INSERT INTO store.cadence VALUES (?, ?, ?)", [feed, since, cadence_s])
