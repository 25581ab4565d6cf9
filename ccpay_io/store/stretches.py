"""The change-only store of one dataset: a row for each stretch of polls with the same answer.

Owns what lasts of a batch of polls: the stretches that ended, the current table with those that go
on, and since when a dataset is silent. Works on a connection that is already inside the
transaction, before the ledger rows exist. Does not know the ledger, locks or files; what happened
to an entity, poll by poll, is laid out by events.py. Called by writer.py.

A stretch is written when it ends, with both of its ends. What is read back is exact, because four
facts are kept apart: an answer (state and values), an answer that something no longer exists (state
`absent`), a poll in which an entity was in scope without an answer (`unknown_reason` is set), and a
run of polls without any answer, which ends every stretch and begins none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from ccpay_io.feeds.poll import Poll
from ccpay_io.store.datasets import AMOUNT, DATASETS, PRIMARY_FEED, Dataset
from ccpay_io.store.events import Batch, Numbered, clear, lay_out

_GOOD = ("ok", "partial")


@dataclass(frozen=True)
class Written:
    """What one dataset of one poll left in the store.

    Attributes:
        changed: entities whose answer differs from the one before, or that are new or gone.
        membership_changed: whether something appeared or vanished.
    """

    changed: int
    membership_changed: bool


@dataclass
class _Pulse:
    """The last good poll of a dataset, and since when and why it has been silent."""

    last_poll_id: int = 0
    good_no: int | None = None
    good_at: datetime | None = None
    silent_no: int | None = None
    silent_at: datetime | None = None
    silent_reason: str | None = None


def write_dataset(
    con: duckdb.DuckDBPyConnection, name: str, entries: Sequence[Numbered]
) -> dict[int, Written]:
    """Stores what a batch of polls says about one dataset.

    Args:
        con: inside the transaction.
        name: the dataset.
        entries: polls in the order of their numbers; what does not concern the dataset is skipped.

    Returns:
        By poll_no, for the polls that answered.
    """
    dataset = DATASETS[name]
    batch = _feel_pulse(con, name, entries)
    if not batch.good:
        return {}
    lay_out(con, dataset, batch)
    _append_stretches(con, dataset)
    _replace_current(con, dataset)
    counts = con.execute("""
        SELECT poll_no, count(*) FILTER (WHERE is_changed),
               coalesce(bool_or(is_changed AND (was_state IS NULL OR 'absent' IN (state, was_state))
                                AND state IS DISTINCT FROM was_state), false)
        FROM temp.answer WHERE poll_no > 0 GROUP BY poll_no
        """).fetchall()
    clear(con)
    return {number: Written(changed, moved) for number, changed, moved in counts}


def _feel_pulse(con: duckdb.DuckDBPyConnection, name: str, entries: Sequence[Numbered]) -> Batch:
    """Sorts the polls into good ones and silences, and remembers how the dataset stands after."""
    columns = "last_poll_id, good_no, good_at, silent_no, silent_at, silent_reason"
    row = con.execute(
        f"SELECT {columns} FROM store.dataset_now WHERE dataset = ?", [name]
    ).fetchone()
    pulse = _Pulse(*(row or ()))
    good: list[Numbered] = []
    before: list[datetime | None] = []
    silences: list[int] = []
    for entry in entries:
        poll = entry.poll
        if poll.outcome in _GOOD and name in poll.answers:
            silences += [] if pulse.silent_no is None else [pulse.silent_no]
            good.append(entry)
            before.append(pulse.good_at)
            pulse = _Pulse(poll.poll_id, entry.poll_no, poll.observed_at)
        elif poll.outcome not in _GOOD and poll.feed == PRIMARY_FEED[name]:
            if pulse.silent_no is None:
                pulse.silent_no, pulse.silent_at = entry.poll_no, poll.observed_at
            pulse.silent_reason = _reason(poll)
            pulse.last_poll_id = poll.poll_id
    con.execute("DELETE FROM store.dataset_now WHERE dataset = ?", [name])
    con.execute(
        f"INSERT INTO store.dataset_now (dataset, {columns}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [name, *vars(pulse).values()],
    )
    return Batch(good, before, silences)


def _reason(poll: Poll) -> str:
    """Why a whole poll has no answer; the macro store.silence_reason says the same in SQL."""
    known = [str(part) for part in (poll.error_code, poll.error_name) if part is not None]
    return " ".join(known) or "no_answer"


def _append_stretches(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Appends the stretches that another turn has ended, in the order of their ends."""
    stored = "".join(
        f', CASE WHEN reason IS NULL THEN {part} END AS "{column}"'
        for v, kind in dataset.values.items()
        for part, column in (
            (
                (f'store.digits("{v}")', f"{v}_digits"),
                (
                    f'CASE WHEN store.digits("{v}") IS NOT NULL THEN store.scale("{v}") END',
                    f"{v}_scale",
                ),
                (f'CASE WHEN store.digits("{v}") IS NULL THEN "{v}" END', f"{v}_large"),
            )
            if kind == AMOUNT
            else ((f'"{v}"', v),)
        )
    )
    con.execute(f"""
        INSERT INTO store.{dataset.name}_stretch BY NAME
        SELECT entity_id, from_no, to_no, state, reason AS unknown_reason{stored}
        FROM (
            SELECT * REPLACE (coalesce(from_no, poll_no) AS from_no),
                   lead(poll_no) OVER (PARTITION BY entity_id ORDER BY poll_no) AS to_no
            FROM temp.turn)
        WHERE kind <> 'none' AND to_no IS NOT NULL
        ORDER BY to_no, entity_id
        """)


# The last thing that each entity's story says of its answer, of its state, and of what goes on.
_LATEST = """
    WITH said AS (
        FROM temp.answer
        QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_no DESC) = 1
    ),

    answered AS (
        SELECT a.*, b.poll_id, b.observed_at
        FROM temp.answered AS a JOIN temp.batch AS b USING (poll_no)
        QUALIFY row_number() OVER (PARTITION BY a.entity_id ORDER BY poll_no DESC) = 1
    ),

    change AS (
        SELECT a.entity_id, a.state, a.was_seen_at, b.poll_id, b.observed_at
        FROM temp.answer AS a JOIN temp.batch AS b USING (poll_no)
        WHERE a.state IS DISTINCT FROM a.was_state
        QUALIFY row_number() OVER (PARTITION BY a.entity_id ORDER BY poll_no DESC) = 1
    ),

    known AS (
        SELECT a.entity_id, a.state, b.poll_id
        FROM temp.answer AS a JOIN temp.batch AS b USING (poll_no)
        WHERE a.state IS DISTINCT FROM a.was_state AND a.state <> 'unknown'
        QUALIFY row_number() OVER (PARTITION BY a.entity_id ORDER BY poll_no DESC) = 1
    ),

    story AS (
        FROM temp.turn
        QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_no DESC) = 1
    )
"""


def _replace_current(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Rewrites the current table: last answer, who was answered when, the stretch that goes on.

    `changed_*` and `known_*` date the run of an equal `state`: another value in the same state
    leaves them. The change lies between the last confirmation of the state before and the poll
    that first saw this one: the bounds of an event seen by sampling. What is new was not there in
    the good poll before the one that first named it. What is gone keeps the name, and all else,
    that it had; its stretches do not.
    """
    last = 'CASE WHEN a.poll_no IS NULL THEN c."{0}" ELSE a."{0}" END'
    kept = "".join(
        f""", CASE WHEN s.state = 'absent' THEN {last.format(v)} ELSE s."{v}" END AS "{v}\""""
        for v in dataset.values
    ) + "".join(f', {last.format(e)} AS "{e}"' for e in dataset.extras)
    changed = ", ".join(
        f"CASE WHEN x.poll_id IS NULL THEN c.{kept} ELSE x.{seen} END AS {kept}"
        for kept, seen in (
            ("changed_poll_id", "poll_id"),
            ("changed_after", "was_seen_at"),
            ("changed_by", "observed_at"),
        )
    )
    con.execute(f"""
        CREATE TEMP TABLE next_current AS
        {_LATEST}
        SELECT
            s.entity_id, s.state{kept}, {changed},
            coalesce(a.poll_id, c.answered_poll_id) AS answered_poll_id,
            coalesce(a.observed_at, c.answered_at) AS answered_at,
            s.seen_at AS confirmed_at,
            coalesce(k.state, c.known_state) AS known_state,
            coalesce(k.poll_id, c.known_poll_id) AS known_poll_id,
            CASE WHEN t.kind <> 'none' THEN coalesce(t.from_no, t.poll_no) END AS since_no,
            t.reason AS unknown_reason
        FROM said AS s
        LEFT JOIN store.{dataset.name}_current AS c USING (entity_id)
        LEFT JOIN answered AS a USING (entity_id)
        LEFT JOIN change AS x USING (entity_id)
        LEFT JOIN known AS k USING (entity_id)
        LEFT JOIN story AS t USING (entity_id);

        DELETE FROM store.{dataset.name}_current;
        INSERT INTO store.{dataset.name}_current BY NAME FROM temp.next_current ORDER BY entity_id;
        DROP TABLE temp.next_current
        """)
