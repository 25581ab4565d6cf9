"""`migrate`: a warehouse moves from a folder to a lake, or back, and is compared row for row.

Owns what is copied and in which order, and that nobody takes a half-filled warehouse for a whole
one. The source is only read, under its writers' lock. Each table is copied and compared in one
transaction; a migration that was cut off goes on with the first table that is not equal. Sealed
months become ordinary rows again; a folder seals them anew. Called by `ccpay admin migrate`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import duckdb

from ccpay_io.care.files import Progress, Step, files_below, link_or_copy
from ccpay_io.errors import ConfigError, NothingPublished, WarehouseError
from ccpay_io.store.datasets import AMOUNT, DATASETS, FEEDS, Dataset
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.connection import attach, forget
from ccpay_io.store.ready import refresh_ready
from ccpay_io.store.rows import one
from ccpay_io.store.verify import Finding, verify
from ccpay_io.store.writer import Warehouse

# What a warehouse is stamped with, beside its environment, before all of it is there.
_UNFINISHED = ", half migrated"
# Made by the schema of the release; the stamp comes last; months are sealed anew.
_NOT_COPIED = ("migration", "stamp", "sealed_file")


@dataclass(frozen=True)
class Migrated:
    """What came of it.

    Attributes:
        rows: of all tables, which are equal in both places.
        kept: those of them that an earlier attempt had copied.
        raw_files: raw answers that were linked or copied.
        findings: of verify, on the new warehouse.
    """

    rows: int
    kept: int
    raw_files: int
    findings: Sequence[Finding]


def migrate(
    source: Warehouse,
    target: Warehouse,
    *,
    on_progress: Progress = lambda done, total: None,
    on_step: Step = lambda name: None,
) -> Migrated:
    """Copies a warehouse, compares it, publishes and verifies the copy; the source stays.

    Args:
        source: its writers wait meanwhile.
        target: a place without a warehouse, or with what an earlier attempt left.
        on_progress: called with (parts done, parts).
        on_step: told the name of each step just before it is taken.

    Raises:
        NothingPublished: there is no source.
        ConfigError: the target has a warehouse already.
        WrongEnvironment: the source holds another environment's data.
        WarehouseError: a table differs after it was copied; or a disk is full.
    """
    if not source.exists():
        raise NothingPublished(
            f"there is no warehouse in {source.place}",
            hint="name the folder that has ccpay.duckdb in it; the sandbox's is in sandbox/",
        )
    _refuse_data(target)
    lake = target.place if isinstance(target.place, Lake) else None
    # Under this stamp nobody else can take it for a warehouse.
    work = Warehouse(target.root, target.stamp + _UNFINISHED, lake=lake)
    with _readable(source):
        counts = list(_copy_parts(source, work, on_progress, on_step))
        on_step("migrate:raw")
        raw_files = _copy_raw(source, target)
        on_step("migrate:stamp")
        _finish(source, work)
    if lake:
        # It has the source open too.
        forget(lake, read_only=False)
    on_step("migrate:publish")
    target.publish(force=True)
    rows, kept = map(sum, zip(*counts, strict=True))
    return Migrated(rows, kept, raw_files, verify(target))


def _refuse_data(target: Warehouse) -> None:
    """A warehouse with its own stamp is whole: another one, or this one after it was moved."""
    if not target.exists():
        return
    con = duckdb.connect()
    try:
        _attach(con, target)
        stamps = con.execute("SELECT environment FROM other.store.stamp").fetchall()
    finally:
        con.close()
    if not all(stamp.endswith(_UNFINISHED) for (stamp,) in stamps):
        raise ConfigError(
            f"{target.place} has a warehouse already",
            hint="name a place that has none; nothing was changed",
        )


def _readable(source: Warehouse) -> AbstractContextManager[object]:
    """Holds the source's writers' lock; the file of a folder is closed, and can be attached."""
    return source.transaction() if isinstance(source.place, Lake) else source.settled()


def _attach(con: duckdb.DuckDBPyConnection, other: Warehouse) -> None:
    if isinstance(other.place, Lake):
        attach(con, other.place, "other", read_only=True)
    else:
        path = str(other.private).replace("'", "''")
        con.execute(f"ATTACH IF NOT EXISTS '{path}' AS other (READ_ONLY)")


def _copy_parts(
    source: Warehouse, work: Warehouse, on_progress: Progress, on_step: Step
) -> Iterator[tuple[int, int]]:
    """Copies each part in a transaction of its own; (rows, rows that were there) of each table."""
    with work.transaction() as con:
        found = con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'store'"
            " AND database_name = current_database() ORDER BY table_name"
        ).fetchall()
    tables = [name for (name,) in found if name not in _NOT_COPIED and not name.endswith("_ready")]
    parts = _parts(tables)
    for done, (part, names) in enumerate(sorted(parts.items()), start=1):
        on_step(f"migrate:{part}")
        with work.transaction() as con:
            _attach(con, source)
            for name in names:
                yield _copy(con, name)
        on_progress(done, len(parts))


def _parts(tables: Sequence[str]) -> dict[str, list[str]]:
    """The tables of each dataset, and all others."""
    of = {
        f"{name}{kind}": name for name in DATASETS for kind in ("_entity", "_stretch", "_current")
    }
    parts: dict[str, list[str]] = {}
    for table in tables:
        parts.setdefault(of.get(table, "ledger, alerts, imports"), []).append(table)
    return parts


def _copy(con: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int]:
    theirs = _rows_of(con, table)
    kept = _equal(con, table, theirs)
    if not kept:
        con.execute(f"DELETE FROM store.{table}; INSERT INTO store.{table} BY NAME {theirs}")
        if not _equal(con, table, theirs):
            raise WarehouseError(
                f"store.{table} differs after it was copied; the source is as it was",
                hint="please report this as a bug",
            )
    (count,) = one(con, f"SELECT count(*) FROM store.{table}")
    return count, count if kept else 0


def _rows_of(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """The query that reads a table of the source, with what was sealed out of it."""
    (sealed,) = one(con, "SELECT count(*) FROM other.store.sealed_file")
    if sealed and table == "poll":
        return "SELECT * FROM other.store.ledger ORDER BY poll_no"
    if sealed and table.endswith("_stretch"):
        return _all_stretches(DATASETS[table.removesuffix("_stretch")])
    return f"SELECT * FROM other.store.{table}"


def _all_stretches(dataset: Dataset) -> str:
    """Every stretch that ended, wherever it is kept, in the form of the hot table."""
    values = "".join(
        f', s."{v}_digits", CASE WHEN s."{v}_digits" IS NOT NULL THEN s."{v}_scale" END'
        f' AS "{v}_scale", CASE WHEN s."{v}_digits" IS NULL THEN s."{v}" END AS "{v}_large"'
        if kind == AMOUNT
        else f', s."{v}"'
        for v, kind in dataset.values.items()
    )
    return f"""
        SELECT s.entity_id, s.from_no, s.to_no, s.state, s.unknown_reason{values}
        FROM other.store.{dataset.name}_span AS s
        ANTI JOIN other.store.{dataset.name}_current AS c
            ON c.entity_id = s.entity_id AND c.since_no = s.from_no
        ORDER BY s.to_no, s.entity_id
        """


def _equal(con: duckdb.DuckDBPyConnection, table: str, theirs: str) -> bool:
    """Whether the table has exactly these rows, each as often."""
    columns = con.execute(f"SELECT * FROM ({theirs}) LIMIT 0").description or ()
    ours = f"SELECT {', '.join(_quoted(c[0]) for c in columns)} FROM store.{table}"
    (differ,) = one(
        con,
        f"""
        SELECT (SELECT count(*) FROM (({theirs}) EXCEPT ALL ({ours})))
             + (SELECT count(*) FROM (({ours}) EXCEPT ALL ({theirs})))
        """,
    )
    return bool(differ == 0)


def _copy_raw(source: Warehouse, target: Warehouse) -> int:
    """Raw answers never change; what is there already is the same."""
    if source.root == target.root:
        return 0
    missing = [
        path for path in files_below(source.root / "raw")
        if not (target.root / path.relative_to(source.root)).exists()
    ]  # fmt: skip
    for path in missing:
        link_or_copy(path, target.root / path.relative_to(source.root))
    return len(missing)


def _finish(source: Warehouse, work: Warehouse) -> None:
    """The step that makes it a warehouse: since when, and of which environment."""
    with work.transaction() as con:
        _attach(con, source)
        refresh_ready(con, set(FEEDS))
        con.execute("DELETE FROM store.stamp; INSERT INTO store.stamp FROM other.store.stamp")


def _quoted(name: str) -> str:
    return f'"{name}"'
