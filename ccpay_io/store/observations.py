"""The change-only store of one dataset: a row is written when an entity's value or state changes.

Owns the comparison of a poll's answers with the current table, and the rows that follow from it:
new entities, observations, the current table, gaps. Works on a connection that is already inside
the poll's transaction, before its ledger row exists. Does not know feeds, the ledger, locks or
files. Called by writer.py.

What is reconstructed from these tables is exact, because three facts are kept apart: an entity
that was answered and did not change has no row; one that was asked or planned without an answer is
in `store.poll_gap`; one that no longer exists has a row with state `absent`.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from ccpay_io.feeds.poll import Answers, Poll
from ccpay_io.store.datasets import DATASETS, Dataset
from ccpay_io.store.rows import one


@dataclass(frozen=True)
class Written:
    """What one dataset of one poll left in the store.

    Attributes:
        changed: entities with a new observation.
        refused: entities answered with a refusal.
        membership_changed: whether something appeared or vanished.
    """

    changed: int
    refused: int
    membership_changed: bool


def write_answers(
    con: duckdb.DuckDBPyConnection, poll: Poll, name: str, answers: Answers
) -> Written:
    """Stores one dataset's answers as changes against its current table.

    Args:
        con: inside the poll's transaction.
        poll: for its id (as the ledger gave it) and its time of observation.
        name: the dataset.
        answers: frame and gaps, as the feed made them.
    """
    dataset = DATASETS[name]
    _stage(con, dataset, poll.poll_id, answers)
    changed, moved = _insert_changes(con, dataset, poll.poll_id, complete=answers.complete)
    _refresh_current(con, dataset, poll)
    _insert_gaps(con, dataset, poll.poll_id)
    refused = answers.frame.filter(pl.col("state") == "refused").height
    con.execute("DROP TABLE temp.answered; DROP TABLE temp.gap; DROP TABLE temp.changed")
    return Written(changed, refused, moved)


def _stage(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, poll_id: int, answers: Answers
) -> None:
    """Registers new entities and puts answers and gaps, with entity ids, into temporary tables."""
    rows = [(reason, *key) for reason, keys in answers.gaps.items() for key in keys]
    gaps = pl.DataFrame(rows, schema={"reason": pl.String, **dataset.keys}, orient="row")
    keys = ", ".join(dataset.keys)
    con.register("incoming", answers.frame.to_arrow())
    con.register("incoming_gap", gaps.to_arrow())
    try:
        con.execute(
            f"""
            INSERT INTO store.{dataset.name}_entity BY NAME
            SELECT (SELECT coalesce(max(entity_id), 0) FROM store.{dataset.name}_entity)
                       + row_number() OVER (ORDER BY {keys}) AS entity_id,
                   ?::BIGINT AS first_poll_id, {keys}
            FROM (SELECT {keys} FROM incoming UNION SELECT {keys} FROM incoming_gap)
            ANTI JOIN store.{dataset.name}_entity USING ({keys})
            """,
            [poll_id],
        )
        for target, source in (("answered", "incoming"), ("gap", "incoming_gap")):
            con.execute(f"""
                CREATE TEMP TABLE {target} AS
                SELECT e.entity_id, i.* EXCLUDE ({keys})
                FROM {source} AS i JOIN store.{dataset.name}_entity AS e USING ({keys})
                """)
    finally:
        con.unregister("incoming")
        con.unregister("incoming_gap")


def _insert_changes(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, poll_id: int, *, complete: bool
) -> tuple[int, bool]:
    """Finds what changed (also what vanished) and appends it as observations.

    Returns:
        How many changed, and whether an entity appeared or vanished.
    """
    values = ["state", *dataset.values]
    differs = " OR ".join(f'a."{v}" IS DISTINCT FROM c."{v}"' for v in values)
    columns = ", ".join(f'"{v}"' for v in dataset.values)
    answered = ", ".join(f'a."{v}"' for v in values)
    con.execute(f"""
        CREATE TEMP TABLE changed AS
        SELECT a.entity_id, {answered}, c.state IS NULL OR c.state = 'absent' AS moved
        FROM temp.answered AS a LEFT JOIN store.{dataset.name}_current AS c USING (entity_id)
        WHERE c.entity_id IS NULL OR {differs}
        """)
    if complete:
        con.execute(f"""
            INSERT INTO temp.changed BY NAME
            SELECT entity_id, 'absent' AS state, true AS moved
            FROM store.{dataset.name}_current AS c
            WHERE state <> 'absent'
              AND entity_id NOT IN (SELECT entity_id FROM temp.answered)
              AND entity_id NOT IN (SELECT entity_id FROM temp.gap)
            """)
    con.execute(
        f"""
        INSERT INTO store.{dataset.name}_observation BY NAME
        SELECT ?::BIGINT AS poll_id, entity_id, state, {columns}
        FROM temp.changed ORDER BY entity_id
        """,
        [poll_id],
    )
    changed, moved = one(con, "SELECT count(*), coalesce(bool_or(moved), false) FROM temp.changed")
    return int(changed), bool(moved)


def _refresh_current(con: duckdb.DuckDBPyConnection, dataset: Dataset, poll: Poll) -> None:
    """Brings the current table up to date: changed rows, vanished rows, who was answered when."""
    table = f"store.{dataset.name}_current"
    when = [poll.poll_id, poll.observed_at]
    values = ", ".join(f'"{v}" = n."{v}"' for v in ["state", *dataset.values])
    # `changed_*` date the run of equal `state`: another value in the same state leaves them. The
    # state before was last confirmed at `answered_at` (an absence: by the last good poll), so the
    # change lies between that moment and this poll: the bounds of an event seen by sampling.
    con.execute(
        f"""
        UPDATE {table} AS c
        SET changed_poll_id = ?, changed_by = ?, changed_after = CASE
            WHEN c.state = 'absent' THEN (
                SELECT max(observed_at) FROM store.poll
                WHERE feed = ? AND outcome IN ('ok', 'partial'))
            ELSE c.answered_at END
        FROM temp.changed AS n WHERE c.entity_id = n.entity_id AND c.state <> n.state
        """,
        [*when, poll.feed],
    )
    con.execute(
        f"UPDATE {table} AS c SET {values} FROM temp.changed AS n WHERE c.entity_id = n.entity_id"
    )
    extras = "".join(f', "{e}" = a."{e}"' for e in dataset.extras)
    con.execute(
        f"""
        UPDATE {table} AS c SET answered_poll_id = ?, answered_at = ?{extras}
        FROM temp.answered AS a WHERE c.entity_id = a.entity_id
        """,
        when,
    )
    # What is new was not there in the good poll before the one that first named it; what was there
    # in the very first poll may have been so for ever.
    con.execute(
        f"""
        INSERT INTO {table} BY NAME
        SELECT a.*, ?::BIGINT AS changed_poll_id, ?::TIMESTAMPTZ AS changed_by,
               p.observed_at AS changed_after,
               ?::BIGINT AS answered_poll_id, ?::TIMESTAMPTZ AS answered_at
        FROM temp.answered AS a
        JOIN store.{dataset.name}_entity AS e USING (entity_id)
        ASOF LEFT JOIN (
            SELECT poll_id, observed_at FROM store.poll
            WHERE feed = ? AND outcome IN ('ok', 'partial')
        ) AS p ON p.poll_id < e.first_poll_id
        WHERE entity_id NOT IN (SELECT entity_id FROM {table})
        ORDER BY entity_id
        """,
        [*when, *when, poll.feed],
    )


def _insert_gaps(con: duckdb.DuckDBPyConnection, dataset: Dataset, poll_id: int) -> None:
    con.execute(
        """
        INSERT INTO store.poll_gap BY NAME
        SELECT ?::BIGINT AS poll_id, ?::VARCHAR AS dataset, reason,
               list(entity_id ORDER BY entity_id) AS entity_ids
        FROM temp.gap GROUP BY reason ORDER BY reason
        """,
        [poll_id, dataset.name],
    )
