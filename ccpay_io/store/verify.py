"""Is the warehouse whole? Checks what the store promises, and says what it found.

Owns the checks behind `ccpay admin verify`. Reads the private file under the writers' lock, the raw
files without it, and the published file; changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ccpay_io.errors import NothingPublished
from ccpay_io.store.datasets import DATASETS, FEED_DATASETS, PRIMARY_FEED, Dataset
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
    if not warehouse.exists():
        raise NothingPublished(
            f"there is no warehouse in {warehouse.place} to verify",
            hint="run `ccpay poll all`, or `ccpay up`, first",
        )
    with warehouse.transaction() as con:
        listed = con.execute("SELECT name, sha256 FROM store.sealed_file").fetchall()
        sealed = _sealed_files(warehouse, listed)
        if not sealed.ok:
            # The other checks read the months too, and would only stumble over them.
            return [sealed]
        findings = [sealed, *_ledger(con)]
        for dataset in DATASETS.values():
            findings += _dataset(con, dataset)
        findings += _publication(con, warehouse)
        raw = con.execute(
            "SELECT raw_name, raw_sha256 FROM store.ledger WHERE raw_name IS NOT NULL"
        ).fetchall()
    # Two weeks of files take minutes to read; writers need not wait for that.
    return [*findings, _raw_files(warehouse, raw)]


def _ledger(con: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    total = _number(con, "SELECT count(*) FROM store.ledger")
    double = _number(
        con,
        "SELECT count(*) FROM (SELECT poll_id FROM store.ledger GROUP BY 1 HAVING count(*) > 1)",
    )
    yield _finding("each poll has one ledger row", double, f"{total} polls", "poll_ids twice")
    numbers = _number(con, "SELECT count(*) - count(DISTINCT poll_no) FROM store.ledger")
    yield _finding("each poll has its number", numbers, f"{total} numbers", "numbers twice")
    for feed, datasets in FEED_DATASETS.items():
        yield _changes(con, feed, datasets)
        yield _snapshots(con, feed, datasets)


def _changes(con: duckdb.DuckDBPyConnection, feed: str, datasets: Sequence[str]) -> Finding:
    """What the ledger counted as changed is what differs between an answer and the one before."""
    changed = " UNION ALL ".join(
        f"""
        SELECT from_no FROM (
            SELECT from_no, {_differs(DATASETS[name], "s")} AS differs
            FROM store.{name}_span AS s WHERE unknown_reason IS NULL
            WINDOW w AS (PARTITION BY entity_id ORDER BY from_no))
        WHERE differs
        """
        for name in datasets
    )
    wrong = _number(
        con,
        f"""
        SELECT count(*) FROM store.ledger AS p
        LEFT JOIN (SELECT from_no AS poll_no, count(*) AS rows FROM ({changed}) GROUP BY 1)
            USING (poll_no)
        WHERE p.feed = '{feed}' AND p.changed_count <> coalesce(rows, 0)
        """,
    )
    return _finding(f"{feed}: rows match the ledger", wrong, "counts agree", "polls differ")


def _snapshots(con: duckdb.DuckDBPyConnection, feed: str, datasets: Sequence[str]) -> Finding:
    """Each entity that the ledger counted without an answer is in a stretch that says so.

    The number in force at a poll is a running sum: one more where a stretch begins, one less where
    it ends. It may be higher than counted: what an incomplete poll does not ask for goes on as it
    was.
    """
    mine = [name for name in datasets if PRIMARY_FEED[name] == feed]
    edges = " UNION ALL ".join(
        f"""
        SELECT from_no AS poll_no, 1 AS step FROM store.{name}_span WHERE unknown_reason IS NOT NULL
        UNION ALL
        SELECT to_no, -1 FROM store.{name}_span WHERE unknown_reason IS NOT NULL
        """
        for name in mine
    )
    wrong = _number(
        con,
        f"""
        WITH edge AS (SELECT poll_no, sum(step) AS step FROM ({edges}) GROUP BY poll_no),
        held AS (SELECT poll_no, sum(step) OVER (ORDER BY poll_no) AS held FROM edge)
        SELECT count(*) FROM store.ledger AS p ASOF LEFT JOIN held AS h ON h.poll_no <= p.poll_no
        WHERE p.feed = '{feed}' AND p.outcome IN ('ok', 'partial')
          AND p.unknown_count > coalesce(h.held, 0)
        """,
    )
    return _finding(f"{feed}: unknown entities match the ledger", wrong, "they do", "polls differ")


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
        """,
    )
    entities = _number(con, f"SELECT count(*) FROM {table}_entity")
    yield _finding(f"{name}: nothing is stored twice", double, f"{entities} entities", "duplicates")
    orphans = _number(
        con,
        f"""
        SELECT (SELECT count(*) FROM {table}_stretch ANTI JOIN store.poll ON from_no = poll_no)
             + (SELECT count(*) FROM {table}_stretch ANTI JOIN store.poll ON to_no = poll_no)
             + (SELECT count(*) FROM {table}_stretch ANTI JOIN {table}_entity USING (entity_id))
             + (SELECT count(*) FROM {table}_current ANTI JOIN {table}_entity USING (entity_id))
             + (SELECT count(*) FROM {table}_current ANTI JOIN store.poll ON since_no = poll_no
                WHERE since_no IS NOT NULL)
        """,
    )
    yield _finding(f"{name}: each row has its polls and entity", orphans, "all do", "orphans")
    broken = _number(
        con,
        f"""
        SELECT count(*) FROM (
            SELECT from_no >= to_no OR lead(from_no) OVER w < to_no AS broken
            FROM {table}_span WINDOW w AS (PARTITION BY entity_id ORDER BY from_no))
        WHERE broken
        """,
    )
    yield _finding(f"{name}: stretches follow each other", broken, "they do", "overlap")
    idle = _number(
        con,
        f"""
        SELECT count(*) FROM (
            SELECT lag(to_no) OVER w = from_no AND NOT ({_differs(dataset, "s")})
                AND unknown_reason IS NOT DISTINCT FROM lag(unknown_reason) OVER w AS idle
            FROM {table}_span AS s WINDOW w AS (PARTITION BY entity_id ORDER BY from_no))
        WHERE idle
        """,
    )
    yield _finding(f"{name}: each row is a change", idle, "each is", "rows repeat the one before")


def _differs(dataset: Dataset, table: str) -> str:
    """Whether an answer differs from the one before it in the window `w`."""
    return " OR ".join(
        f'{table}."{column}" IS DISTINCT FROM lag({table}."{column}") OVER w'
        for column in ["state", *dataset.values]
    )


def _sealed_files(warehouse: Warehouse, files: Sequence[tuple[str, str]]) -> Finding:
    """Every sealed month is there and has the content with which it was sealed."""
    wrong = [name for name, sha256 in files if _sha256(warehouse.root / "sealed" / name) != sha256]
    return _finding(
        "sealed months have the content that the warehouse lists",
        len(wrong),
        f"{len(files)} files",
        f"missing or damaged: {', '.join(wrong[:3])}; restore them from a backup",
    )


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


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
        with connect_published(warehouse.place) as published:
            theirs = set(
                published.execute("SELECT poll_id, changed_count FROM store.ledger").fetchall()
            )
    except duckdb.CatalogException:
        yield Finding(True, what, "made by an earlier release; the next publication replaces it")
        return
    except NothingPublished:
        yield Finding(True, what, "nothing is published yet")
        return
    except duckdb.Error as error:
        yield Finding(False, what, str(error).splitlines()[0])
        return
    ours = set(con.execute("SELECT poll_id, changed_count FROM store.ledger").fetchall())
    behind = len(ours) - len(theirs)
    yield _finding(
        what, len(theirs - ours), f"{len(theirs)} polls, {behind} behind the writer", "polls differ"
    )


def _number(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(one(con, sql)[0])


def _finding(what: str, wrong: int, good: str, bad: str) -> Finding:
    return Finding(wrong == 0, what, good if wrong == 0 else f"{wrong} {bad}")
