"""The ledger: one row for every attempt, and what can be asked of it.

Owns the rows of store.poll, store.cadence, store.drift, and how poll_id and poll_no are given.
Works on a connection inside the transaction. Called by writer.py; the feeds' planning reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl

from ccpay_io.feeds.poll import Poll
from ccpay_io.models import Drift
from ccpay_io.store.datasets import FEED_DATASETS
from ccpay_io.store.events import Numbered
from ccpay_io.store.rows import one

_LAST_GOOD = """
    SELECT feed, max(poll_no) FROM store.poll WHERE outcome IN ('ok', 'partial') GROUP BY feed
"""
_MOMENT = pl.Datetime("us", "UTC")
_SCHEMA: dict[str, Any] = {
    "poll_id": pl.Int64,
    "feed": pl.String,
    "started_at": _MOMENT,
    "observed_at": _MOMENT,
    "outcome": pl.String,
    "requests": pl.Int64,
    "answered_count": pl.Int64,
    "changed_count": pl.Int64,
    "refused_count": pl.Int64,
    "unknown_count": pl.Int64,
    "listed_count": pl.Int64,
    "error_code": pl.Int64,
    "error_name": pl.String,
    "error_message": pl.String,
    "writer": pl.String,
    "cadence_s": pl.Int64,
    "content_hash": pl.String,
    "raw_name": pl.String,
    "raw_sha256": pl.String,
    "raw_size": pl.Int64,
    "poll_no": pl.Int64,
    "snapshot_no": pl.Int64,
}


@dataclass(frozen=True)
class Totals:
    """Row counts of a stored poll, over all of its datasets."""

    changed: int = 0
    refused: int = 0
    unknown: int = 0


def number_polls(con: duckdb.DuckDBPyConnection, polls: Sequence[Poll]) -> list[Numbered | None]:
    """Gives each poll its poll_id and its poll_no; None for a poll that is stored already.

    A poll_id is the poll's start in microseconds. It is raised when another poll has it, and above
    the last stored poll that wrote to one of the same datasets: two sweeps may overlap in time, and
    the change-only store needs its rows in the order in which they were compared. `started_at`
    keeps the true start.
    """
    since = min((poll.started_at for poll in polls), default=None)
    ledger = _ledger_since(con, since)
    last_of = dict(con.execute(f"SELECT feed, max(poll_id) FROM {ledger} GROUP BY feed").fetchall())
    (last_no,) = one(con, "SELECT coalesce(max(poll_no), 0) FROM store.poll")
    stored, taken = _stored_since(con, ledger, since)
    numbered: list[Numbered | None] = []
    for poll in polls:
        key = (poll.feed, poll.writer, poll.started_at)
        if key in stored:
            numbered.append(None)
            continue
        poll_id = max(poll.poll_id, 1 + max(last_of.get(f, 0) for f in _rivals(poll.feed)))
        while poll_id in taken:
            poll_id += 1
        last_no += 1
        last_of[poll.feed] = poll_id
        taken.add(poll_id)
        stored.add(key)
        numbered.append(Numbered(last_no, replace(poll, poll_id=poll_id)))
    return numbered


def _ledger_since(con: duckdb.DuckDBPyConnection, since: datetime | None) -> str:
    """Where all polls are that started since then: hot, or in the files of sealed months too.

    What was sealed with a month started before its end, or with what was late then, in the two
    days after it. Files are opened for reruns only, which come that late: not for each poll.
    """
    (is_sealed,) = one(
        con,
        "SELECT coalesce(max(month) + INTERVAL 1 MONTH + INTERVAL 2 DAY > $1, false)"
        " FROM store.sealed_file",
        [since.astimezone(UTC).replace(tzinfo=None) if since else None],
    )
    return "store.ledger" if is_sealed else "store.poll"


def _stored_since(
    con: duckdb.DuckDBPyConnection, ledger: str, since: datetime | None
) -> tuple[set[tuple[str, str, datetime]], set[int]]:
    """(feed, writer, started_at) of stored polls that started since then, and their poll_ids.

    A raised poll_id lies after its poll's start, so no id from `since` on is missed.
    """
    rows = con.execute(
        f"SELECT feed, writer, started_at, poll_id FROM {ledger}"
        " WHERE started_at >= $1 OR poll_id >= epoch_us($1::TIMESTAMPTZ)",
        [since],
    ).fetchall()
    return {(feed, writer, started) for feed, writer, started, _ in rows}, {r[3] for r in rows}


def _rivals(feed: str) -> list[str]:
    mine = set(FEED_DATASETS[feed])
    return [other for other, datasets in FEED_DATASETS.items() if mine.intersection(datasets)]


def write_ledger(
    con: duckdb.DuckDBPyConnection, entries: Sequence[tuple[Numbered, Totals]]
) -> None:
    """Appends the polls' rows, cadences that are new, and drift not seen before."""
    last_good = dict(con.execute(_LAST_GOOD).fetchall())
    rows = []
    for entry, totals in entries:
        if entry.poll.outcome in ("ok", "partial"):
            last_good[entry.poll.feed] = entry.poll_no
        rows.append(_row(entry, totals, last_good.get(entry.poll.feed)))
    con.register("incoming_ledger", pl.DataFrame(rows, schema=_SCHEMA, orient="row").to_arrow())
    con.execute("INSERT INTO store.poll BY NAME FROM incoming_ledger")
    con.unregister("incoming_ledger")
    polls = [entry.poll for entry, _ in entries]
    _note_cadences(con, polls)
    for poll in polls:
        for drift in poll.drift:
            _note_drift(con, poll, drift)


def _row(entry: Numbered, totals: Totals, snapshot_no: int | None) -> dict[str, object]:
    poll, raw = entry.poll, entry.poll.raw
    return {
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
        "poll_no": entry.poll_no,
        # Without an answer a poll's snapshot is unknown for all that was there before.
        "snapshot_no": snapshot_no,
    }


def _note_drift(con: duckdb.DuckDBPyConnection, poll: Poll, drift: Drift) -> None:
    con.execute(
        """
        INSERT INTO store.drift SELECT $1, $2, $3, $4, $5, $6, $7
        WHERE NOT EXISTS (SELECT 1 FROM store.drift
            WHERE endpoint = $1 AND path = $2 AND kind = $3 AND value = $4)
        """,
        [drift.endpoint, drift.path, drift.kind, drift.value, poll.observed_at, poll.poll_id,
         drift.sample],
    )  # fmt: skip


def _note_cadences(con: duckdb.DuckDBPyConnection, polls: Sequence[Poll]) -> None:
    dated = con.execute("SELECT feed, valid_from, cadence_s FROM store.cadence").fetchall()
    for poll in polls:
        feed, since, cadence_s = poll.feed, poll.started_at, poll.cadence_s
        # As of the poll's start: a sweep may be committed after one that began later.
        known = max((row for row in dated if row[0] == feed and row[1] <= since), default=None)
        if known is None or known[2] != cadence_s:
            dated.append((feed, since, cadence_s))
            con.execute("INSERT INTO store.cadence VALUES (?, ?, ?)", [feed, since, cadence_s])
