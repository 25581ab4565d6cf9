"""What a batch of polls says about each entity of one dataset, poll by poll, in temporary tables.

Owns the order of events in an entity's story and which of them turn it. Writes nothing that lasts
but new entities. Called by stretches.py, inside the transaction.

    temp.answered   poll_no, entity_id, state, values, extras: the answers as they came
    temp.event      one row per entity and poll that says something about it, and one for the story
                    so far (poll_no 0, with what the current table has): kind `answer` (also that it
                    is absent), `gap` (no answer, with the reason) or `none` (nothing can be said)
    temp.answer     the events of kind `answer`, and the story so far, each beside the one before
    temp.turn       the events at which a stretch begins, or ends without another beginning
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import polars as pl

from ccpay_io.feeds.poll import Poll
from ccpay_io.store.datasets import Dataset

_TABLES = ("batch", "answered", "mention", "event", "answer", "turn")


@dataclass(frozen=True)
class Numbered:
    """A poll with its place in the ledger.

    Attributes:
        poll_no: dense and rising over all feeds, in the order of commits.
        poll: with the poll_id under which it is stored.
    """

    poll_no: int
    poll: Poll


@dataclass(frozen=True)
class Batch:
    """The polls of a batch that concern one dataset.

    Attributes:
        good: those that answered, oldest first.
        good_before: for each of them, when the good poll before it was observed.
        silences: poll_no of the first poll of each run without any answer that a good one ended.
    """

    good: Sequence[Numbered]
    good_before: Sequence[datetime | None]
    silences: Sequence[int]


def lay_out(con: duckdb.DuckDBPyConnection, dataset: Dataset, batch: Batch) -> None:
    """Fills the temporary tables."""
    _stage_batch(con, dataset, batch)
    _register_entities(con, dataset)
    _stage_answers(con, dataset)
    _collect_events(con, dataset, batch.silences)
    _compare_answers(con, dataset)
    _find_turns(con, dataset)


def clear(con: duckdb.DuckDBPyConnection) -> None:
    """Drops the temporary tables."""
    for table in _TABLES:
        con.execute(f"DROP TABLE temp.{table}")
    for view in ("incoming", "incoming_gap", "incoming_poll"):
        con.unregister(view)


def names(dataset: Dataset, prefix: str = "") -> str:
    """The dataset's values as a list of columns: `, a."x", a."y"`, with a leading comma."""
    return "".join(f', {prefix}"{value}"' for value in dataset.values)


def _stage_batch(con: duckdb.DuckDBPyConnection, dataset: Dataset, batch: Batch) -> None:
    """The polls themselves, and their frames and gaps, each row with its poll."""
    frames, gaps = [], []
    for entry in batch.good:
        answers = entry.poll.answers[dataset.name]
        number = pl.lit(entry.poll_no, dtype=pl.Int64).alias("poll_no")
        frames.append(answers.frame.with_columns(number))
        gaps += [
            (entry.poll_no, reason, *key) for reason, keys in answers.gaps.items() for key in keys
        ]
    gap_schema = {"poll_no": pl.Int64, "reason": pl.String, **dataset.keys}
    con.register("incoming", pl.concat(frames).to_arrow())
    con.register("incoming_gap", pl.DataFrame(gaps, schema=gap_schema, orient="row").to_arrow())
    con.register("incoming_poll", _poll_frame(dataset, batch).to_arrow())
    con.execute("CREATE TEMP TABLE batch AS FROM incoming_poll")


def _poll_frame(dataset: Dataset, batch: Batch) -> pl.DataFrame:
    moment = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        {
            "poll_no": [entry.poll_no for entry in batch.good],
            "poll_id": [entry.poll.poll_id for entry in batch.good],
            "observed_at": [entry.poll.observed_at for entry in batch.good],
            "is_complete": [entry.poll.answers[dataset.name].complete for entry in batch.good],
            "good_before": batch.good_before,
        },
        schema_overrides={"observed_at": moment, "good_before": moment},
    )


def _register_entities(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Gives an id to what is mentioned for the first time, answered or not."""
    keys = ", ".join(dataset.keys)
    con.execute(f"""
        INSERT INTO store.{dataset.name}_entity BY NAME
        SELECT (SELECT coalesce(max(entity_id), 0) FROM store.{dataset.name}_entity)
                   + row_number() OVER (ORDER BY poll_no, {keys}) AS entity_id,
               poll_id AS first_poll_id, {keys}
        FROM (
            SELECT {keys}, min(poll_no) AS poll_no
            FROM (SELECT {keys}, poll_no FROM incoming
                  UNION ALL SELECT {keys}, poll_no FROM incoming_gap)
            ANTI JOIN store.{dataset.name}_entity USING ({keys})
            GROUP BY {keys})
        JOIN temp.batch USING (poll_no)
        """)


def _stage_answers(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    keys = ", ".join(dataset.keys)
    con.execute(f"""
        CREATE TEMP TABLE answered AS
        SELECT e.entity_id, i.* EXCLUDE ({keys})
        FROM incoming AS i JOIN store.{dataset.name}_entity AS e USING ({keys});
        CREATE TEMP TABLE mention AS
        SELECT poll_no, entity_id, NULL AS reason FROM temp.answered
        UNION ALL
        SELECT g.poll_no, e.entity_id, g.reason
        FROM incoming_gap AS g JOIN store.{dataset.name}_entity AS e USING ({keys})
        """)


def _collect_events(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, silences: Sequence[int]
) -> None:
    """The story so far, answers, gaps, silences, and what complete polls do not mention.

    What a complete poll does not mention is absent if it was answered before; a pair that was only
    ever asked in vain has simply left the scope.
    """
    so_far = "".join(
        f""", CASE WHEN state <> 'absent' THEN "{v}" END AS "{v}\"""" for v in dataset.values
    )
    con.execute(
        f"""
        CREATE TEMP TABLE event AS
        SELECT entity_id, 0::BIGINT AS poll_no, since_no AS from_no,
               CASE WHEN since_no IS NULL THEN 'none' WHEN unknown_reason IS NOT NULL THEN 'gap'
                    ELSE 'answer' END AS kind,
               unknown_reason AS reason, confirmed_at AS seen_at, state{so_far}
        FROM store.{dataset.name}_current;

        INSERT INTO temp.event BY NAME
        SELECT m.entity_id, 0 AS poll_no, 'none' AS kind, b.good_before AS seen_at
        FROM (SELECT entity_id, min(poll_no) AS poll_no FROM temp.mention GROUP BY entity_id) AS m
        JOIN temp.batch AS b USING (poll_no)
        ANTI JOIN store.{dataset.name}_current AS c ON c.entity_id = m.entity_id;
        """
    )
    con.execute(
        f"""
        INSERT INTO temp.event BY NAME
        SELECT poll_no, e.entity_id, 'none' AS kind
        FROM (SELECT entity_id FROM temp.event WHERE poll_no = 0) AS e
        CROSS JOIN (SELECT unnest(?::BIGINT[]) AS poll_no)
        UNION ALL BY NAME
        SELECT m.poll_no, m.entity_id, 'gap' AS kind, m.reason, b.observed_at AS seen_at
        FROM temp.mention AS m JOIN temp.batch AS b USING (poll_no) WHERE m.reason IS NOT NULL
        UNION ALL BY NAME
        SELECT a.poll_no, a.entity_id, 'answer' AS kind, b.observed_at AS seen_at,
               a.state{names(dataset, "a.")}
        FROM temp.answered AS a JOIN temp.batch AS b USING (poll_no)
        UNION ALL BY NAME
        SELECT poll_no, entity_id, CASE WHEN known THEN 'answer' ELSE 'none' END AS kind,
               observed_at AS seen_at, CASE WHEN known THEN 'absent' END AS state
        FROM (
            SELECT b.poll_no, b.observed_at, e.entity_id, b.poll_no > e.answered_no AS known
            FROM (
                SELECT entity_id, CASE WHEN e.state IS NULL THEN a.answered_no ELSE 0 END
                           AS answered_no
                FROM temp.event AS e
                LEFT JOIN (SELECT entity_id, min(poll_no) AS answered_no
                           FROM temp.answered GROUP BY entity_id) AS a USING (entity_id)
                WHERE e.poll_no = 0) AS e
            CROSS JOIN (FROM temp.batch WHERE is_complete) AS b
            ANTI JOIN temp.mention AS m ON m.entity_id = e.entity_id AND m.poll_no = b.poll_no)
        """,
        [list(silences)],
    )


def _compare_answers(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Each answer beside the answer before it, and beside the kind of the event before it."""
    values = ["state", *dataset.values]
    before = "".join(f', lag("{v}") OVER story AS "was_{v}"' for v in values)
    differs = " OR ".join(f'"{v}" IS DISTINCT FROM "was_{v}"' for v in values)
    con.execute(f"""
        CREATE TEMP TABLE answer AS
        SELECT *, poll_no > 0 AND ({differs}) AS is_changed
        FROM (
            SELECT *, lag(seen_at) OVER story AS was_seen_at{before}
            FROM (
                SELECT *, lag(kind) OVER (PARTITION BY entity_id ORDER BY poll_no) AS was_kind
                FROM temp.event)
            WHERE kind = 'answer' OR poll_no = 0
            WINDOW story AS (PARTITION BY entity_id ORDER BY poll_no))
        """)


def _find_turns(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Where a stretch begins: another answer, an answer after none, another reason for having none.

    A stretch without an answer keeps the state of the last answer, which tells a pair that was
    there before from one that was only ever asked in vain; it keeps no values.
    """
    con.execute(f"""
        CREATE TEMP TABLE turn AS
        SELECT entity_id, poll_no, from_no, kind, reason, state{names(dataset)}
        FROM temp.answer
        WHERE poll_no = 0 OR is_changed OR was_kind <> 'answer';

        INSERT INTO temp.turn BY NAME
        SELECT entity_id, poll_no, kind, reason, state
        FROM (
            SELECT entity_id, poll_no, kind, reason,
                   lag(kind) OVER story AS was_kind, lag(reason) OVER story AS was_reason,
                   last_value(CASE WHEN kind = 'answer' OR poll_no = 0 THEN state END IGNORE NULLS)
                       OVER story AS state
            FROM temp.event
            WINDOW story AS (PARTITION BY entity_id ORDER BY poll_no))
        WHERE poll_no > 0 AND kind <> 'answer'
          AND (kind <> was_kind OR reason IS DISTINCT FROM was_reason)
        """)
