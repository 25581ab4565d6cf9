"""Is the warehouse whole? Checks what the store promises, and says what it found.

Owns the checks behind `ccpay admin verify`. Reads the private file under the writers' lock, the raw
files without it, and the published file; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from ccpay_io.errors import NothingPublished
from ccpay_io.store.datasets import DATASETS, FEED_DATASETS, Dataset
from ccpay_io.store.raw import raw_sha256
from ccpay_io.store.reading import connect_published
from ccpay_io.store.rows import one
from ccpay_io.store.writer import Warehouse


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        ok: whether the promise holds.
        what: the promise, in words.
        detail: how much was checked, or what is wrong.
    """

    ok: bool
    what: str
    detail: str


def verify(warehouse: Warehouse) -> list[Finding]:
    """Runs every check.

    Raises:
        NothingPublished: there is no warehouse in the folder; none is made.
        WarehouseError: the warehouse cannot be opened at all.
    """
    if not warehouse.private.exists():
        raise NothingPublished(
            f"there is no warehouse in {warehouse.root} to verify",
            hint="run `ccpay poll all`, or `ccpay up`, first",
        )
    with warehouse.transaction() as con:
        findings = list(_ledger(con))
        for dataset in DATASETS.values():
            findings += _dataset(con, dataset)
        findings += _publication(con, warehouse)
        raw = con.execute(
            "SELECT raw_name, raw_sha256 FROM store.poll WHERE raw_name IS NOT NULL"
        ).fetchall()
    # Two weeks of files take minutes to read; writers need not wait for that.
    return [*findings, _raw_files(warehouse, raw)]


def _ledger(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    total = _number(con, "SELECT count(*) FROM store.poll")
    double = _number(
        con, "SELECT count(*) FROM (SELECT poll_id FROM store.poll GROUP BY 1 HAVING count(*) > 1)"
    )
    yield _finding("each poll has one ledger row", double, f"{total} polls", "poll_ids twice")
    for feed, datasets in FEED_DATASETS.items():
        union = " UNION ALL ".join(
            f"SELECT poll_id FROM store.{name}_observation" for name in datasets
        )
        wrong = _number(
            con,
            f"""
            SELECT count(*) FROM store.poll AS p
            LEFT JOIN (SELECT poll_id, count(*) AS rows FROM ({union}) GROUP BY 1) USING (poll_id)
            WHERE p.feed = '{feed}' AND p.changed_count <> coalesce(rows, 0)
            """,
        )
        yield _finding(f"{feed}: rows match the ledger", wrong, "counts agree", "polls differ")


def _dataset(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> Iterator[Finding]:
    name, keys = dataset.name, ", ".join(dataset.keys)
    table = f"store.{name}"
    double = _number(
        con,
        f"""
        SELECT (SELECT count(*) - count(DISTINCT entity_id) FROM {table}_entity)
             + (SELECT count(*) FROM (SELECT {keys} FROM {table}_entity
                                      GROUP BY ALL HAVING count(*) > 1))
             + (SELECT count(*) - count(DISTINCT entity_id) FROM {table}_current)
             + (SELECT count(*) FROM (SELECT poll_id, entity_id FROM {table}_observation
                                      GROUP BY ALL HAVING count(*) > 1))
        """,
    )
    entities = _number(con, f"SELECT count(*) FROM {table}_entity")
    yield _finding(f"{name}: nothing is stored twice", double, f"{entities} entities", "duplicates")
    orphans = _number(
        con,
        f"""
        SELECT (SELECT count(*) FROM {table}_observation ANTI JOIN
                    (FROM store.poll WHERE outcome IN ('ok', 'partial')) USING (poll_id))
             + (SELECT count(*) FROM {table}_observation ANTI JOIN {table}_entity USING (entity_id))
        """,
    )
    yield _finding(f"{name}: each row has its poll and entity", orphans, "all do", "orphans")
    values = ", ".join(f'"{column}"' for column in ["entity_id", "state", *dataset.values])
    torn = _number(
        con,
        f"""
        WITH last AS (
            SELECT {values} FROM {table}_observation
            QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_id DESC) = 1)
        SELECT count(*) FROM (
            (SELECT {values} FROM {table}_current EXCEPT FROM last)
            UNION ALL (FROM last EXCEPT SELECT {values} FROM {table}_current))
        """,
    )
    yield _finding(
        f"{name}: the current values are the last observations", torn, "they are", "rows differ"
    )
    same = " AND ".join(
        f'"{c}" IS NOT DISTINCT FROM lag("{c}") OVER w' for c in ["state", *dataset.values]
    )
    idle = _number(
        con,
        f"""
        SELECT count(*) FROM (
            SELECT {same} AND lag(poll_id) OVER w IS NOT NULL AS idle FROM {table}_observation
            WINDOW w AS (PARTITION BY entity_id ORDER BY poll_id))
        WHERE idle
        """,
    )
    yield _finding(f"{name}: each row is a change", idle, "each is", "rows repeat the one before")


def _raw_files(warehouse: Warehouse, files: Sequence[tuple[str, str]]) -> Finding:
    """Raw files that are still there have the content that the ledger names."""
    found = {name: _has_content(warehouse, name, sha256) for name, sha256 in files}
    wrong = [name for name, whole in found.items() if whole is False]
    gone = sum(whole is None for whole in found.values())
    return _finding(
        "raw files have the content that the ledger names",
        len(wrong),
        f"{len(found) - gone} files, {gone} beyond their retention",
        f"damaged: {', '.join(wrong[:3])}",
    )


def _has_content(warehouse: Warehouse, name: str, sha256: str) -> bool | None:
    """Whether the file has that content; None when it is gone."""
    try:
        return raw_sha256(warehouse.root, name) == sha256
    except FileNotFoundError:
        return None
    except OSError:
        return False


def _publication(con: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> Iterator[Finding]:
    """The published file opens and holds exactly the private ledger up to its last poll."""
    what = "the published file is a whole copy"
    try:
        with connect_published(warehouse.root) as published:
            theirs = set(
                published.execute("SELECT poll_id, changed_count FROM store.poll").fetchall()
            )
    except NothingPublished:
        yield Finding(True, what, "nothing is published yet")
        return
    except duckdb.Error as error:
        yield Finding(False, what, str(error).splitlines()[0])
        return
    ours = set(con.execute("SELECT poll_id, changed_count FROM store.poll").fetchall())
    behind = len(ours) - len(theirs)
    yield _finding(
        what, len(theirs - ours), f"{len(theirs)} polls, {behind} behind the writer", "polls differ"
    )


def _number(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(one(con, sql)[0])


def _finding(what: str, wrong: int, good: str, bad: str) -> Finding:
    return Finding(wrong == 0, what, good if wrong == 0 else f"{wrong} {bad}")
