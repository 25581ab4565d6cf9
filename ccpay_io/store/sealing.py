"""Sealing: a month that is over leaves the DuckDB file and becomes immutable Parquet files.

Owns sealed/<dataset>-<month>-<content>.parquet, when a month is sealed, and how files that no
publication lists any more go away. Called by the daily job and by `ccpay admin seal`.

A file holds every stretch that touches its month, cut at its ends, so it can be read alone: keys,
valid_from and valid_to, state, unknown_reason, values (an amount is <name>_digits / 10 ^
<name>_scale). `is_opening` marks a stretch that began before the month (at `began_at`) and
`is_continued` one that goes on after it; the views take a stretch once, from the month in which it
ended. A kill at any moment leaves the month hot, and at most a file that nothing lists.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from ccpay_io.store.compaction import make_anew
from ccpay_io.store.datasets import AMOUNT, DATASETS, Dataset
from ccpay_io.store.durable import fsync_path
from ccpay_io.store.publication import versions
from ccpay_io.store.rows import one
from ccpay_io.store.schema import make_spans
from ccpay_io.store.spans import STILL, polls_of
from ccpay_io.store.writer import Warehouse

# What is late (a sweep around midnight, a clock that is set) has come by then.
GRACE = timedelta(hours=48)
# Times and numbers rise within an entity: as differences they take a third of what a dictionary
# takes, and only columns with few values have so few.
_PARQUET = (
    "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 9, PARQUET_VERSION v2,"
    " DICTIONARY_SIZE_LIMIT 1000"
)


@dataclass(frozen=True)
class Month:
    """The polls of one month, by number: after_no < poll_no <= until_no."""

    first: date
    after_no: int
    until_no: int

    @property
    def begins(self) -> datetime:
        """Its first moment, UTC."""
        return datetime(self.first.year, self.first.month, 1, tzinfo=UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after it, UTC."""
        return (self.begins + timedelta(days=32)).replace(day=1)


def seal(warehouse: Warehouse, now: datetime) -> list[Month]:
    """Seals every month that ended 48 hours ago, oldest first; publishes when there was one.

    Raises:
        ConfigError: it is a lake, whose months are Parquet already.
        WarehouseError: the disk is full or read-only; the month stays as it was.
    """
    warehouse.files()
    sealed = []
    while month := _seal_next(warehouse, now):
        sealed.append(month)
    if sealed:
        warehouse.publish(force=True)
    sweep(warehouse)
    return sealed


def retire(warehouse: Warehouse, *, keep_months: int, now: datetime) -> int:
    """Forgets sealed months that are older than the retention; `sweep` deletes them in time."""
    oldest = now.year * 12 + now.month - 1 - keep_months
    before = date(oldest // 12, oldest % 12 + 1, 1)
    with warehouse.transaction() as con:
        # The newest stays in any case: it says up to which poll all is sealed.
        old = "month < ? AND month < (SELECT max(month) FROM store.sealed_file)"
        (count,) = one(con, f"SELECT count(*) FROM store.sealed_file WHERE {old}", [before])
        if count:
            con.execute(f"DELETE FROM store.sealed_file WHERE {old}", [before])
            make_spans(con, warehouse.root)
    if count:
        warehouse.publish(force=True)
    return int(count)


def sweep(warehouse: Warehouse) -> int:
    """Deletes sealed files that neither the warehouse nor a published version lists."""
    folder = warehouse.root / "sealed"
    if not folder.is_dir():
        return 0
    with warehouse.transaction() as con:
        listed = set(_listed(con))
        for version in versions(warehouse.root):
            with duckdb.connect(str(version), read_only=True) as published:
                listed.update(_listed(published))
        garbage = [path for path in folder.iterdir() if path.name not in listed]
        for path in garbage:
            warehouse.step("sweep")
            path.unlink()
    return len(garbage)


def _listed(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The files that a database lists; a publication of an earlier release has none."""
    known = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'sealed_file'")
    if known.fetchone():
        for (name,) in con.execute("SELECT name FROM store.sealed_file").fetchall():
            yield name


def _seal_next(warehouse: Warehouse, now: datetime) -> Month | None:
    with warehouse.transaction() as con:
        month = _next_month(con, now)
        if month is None:
            return None
        folder = warehouse.root / "sealed"
        folder.mkdir(exist_ok=True)
        for name, select in _contents(month):
            warehouse.step("seal:write")
            _write(con, folder, name, month, select, warehouse)
        fsync_path(folder)
        warehouse.step("seal:commit")
        _forget_hot(con, month)
        make_spans(con, warehouse.root)
    return month


def _next_month(con: duckdb.DuckDBPyConnection, now: datetime) -> Month | None:
    """The oldest month with polls that are not sealed, if it is over for long enough."""
    (after_no,) = one(con, "SELECT coalesce(max(until_no), 0) FROM store.sealed_file")
    (first,) = one(con, "SELECT min(observed_at) FROM store.poll WHERE poll_no > ?", [after_no])
    if first is None:
        return None
    month = Month(first.astimezone(UTC).date().replace(day=1), after_no, 0)
    if now < month.ends + GRACE:
        return None
    (until_no,) = one(
        con, "SELECT max(poll_no) FROM store.poll WHERE observed_at < ?", [month.ends]
    )
    return Month(month.first, after_no, until_no)


def _contents(month: Month) -> Iterator[tuple[str, str]]:
    """(dataset, rows) of each file of a month; the ledger last."""
    for dataset in DATASETS.values():
        yield dataset.name, _stretches(dataset, month)
    yield (
        "ledger",
        f"""
        FROM store.poll
        WHERE poll_no > {month.after_no} AND poll_no <= {month.until_no} ORDER BY poll_no
        """,
    )


def _stretches(dataset: Dataset, month: Month) -> str:
    """Stretches that touch the month, cut at its ends, with the entity's keys.

    While a feed is silent, its stretches have ended but are still in the current table; the good
    poll that writes them down may come in a later month, whose file then has them.
    """
    name, polls = dataset.name, polls_of(dataset.name)
    keys = ", ".join(f'e."{key}"' for key in dataset.keys)
    values = [
        column
        for value, kind in dataset.values.items()
        for column in ((f"{value}_digits", f"{value}_scale") if kind == AMOUNT else (value,))
    ]
    current = ", ".join(
        f"CASE WHEN c.unknown_reason IS NULL AND c.state <> 'absent' THEN {part} END"
        f' AS "{column}"'
        for value, kind in dataset.values.items()
        for part, column in (
            ((f"store.all_digits(c.{value})", f"{value}_digits"),
             (f"store.scale(c.{value})", f"{value}_scale"))
            if kind == AMOUNT else ((f'c."{value}"', value),)
        )
    )  # fmt: skip
    stored = ", ".join(f's."{column}"' for column in values)
    hot = ", ".join(
        f'coalesce(s."{value}_digits", store.all_digits(s."{value}_large")) AS "{value}_digits",'
        f' coalesce(s."{value}_scale", store.scale(s."{value}_large")) AS "{value}_scale"'
        if kind == AMOUNT
        else f's."{value}"'
        for value, kind in dataset.values.items()
    )
    return f"""
        WITH stretch AS (
            SELECT entity_id, from_no, to_no, state, unknown_reason, {hot}, false AS is_current
            FROM store.{name}_stretch AS s
            UNION ALL BY NAME
            SELECT c.entity_id, c.since_no AS from_no, coalesce(d.silent_no, {STILL}) AS to_no,
                   c.state, c.unknown_reason, {current}, true AS is_current
            FROM store.{name}_current AS c JOIN store.dataset_now AS d ON d.dataset = '{name}'
        )
        SELECT
            s.entity_id, {keys}, s.state, s.unknown_reason, {stored},
            CASE WHEN s.to_no <= {month.after_no} THEN f.observed_at
                 ELSE greatest(f.observed_at, TIMESTAMPTZ '{month.begins}') END AS valid_from,
            least(coalesce(t.observed_at, TIMESTAMPTZ '{month.ends}'),
                  TIMESTAMPTZ '{month.ends}') AS valid_to,
            s.from_no <= {month.after_no} AS is_opening,
            s.is_current OR s.to_no > {month.until_no} AS is_continued,
            CASE WHEN s.from_no <= {month.after_no} THEN f.observed_at END AS began_at,
            f.poll_id, s.from_no, s.to_no
        FROM stretch AS s
        JOIN store.{name}_entity AS e USING (entity_id)
        JOIN {polls} AS f ON f.poll_no = s.from_no
        LEFT JOIN {polls} AS t ON t.poll_no = s.to_no
        WHERE s.from_no <= {month.until_no} AND (s.to_no > {month.after_no} OR NOT s.is_current)
        ORDER BY s.entity_id, s.from_no
        """


def _write(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    dataset: str,
    month: Month,
    select: str,
    warehouse: Warehouse,
) -> None:
    """Writes one file, whole or not at all, and lists it."""
    temporary = folder / f"{dataset}.tmp"
    target = str(temporary).replace("'", "''")
    con.execute(f"COPY ({select}) TO '{target}' ({_PARQUET})")
    (rows,) = one(con, f"SELECT count(*) FROM read_parquet('{target}')")
    fsync_path(temporary)
    with temporary.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    # By its content: a month that is sealed anew never changes a file that a publication lists.
    path = folder / f"{dataset}-{month.first:%Y-%m}-{digest[:12]}.parquet"
    warehouse.step("seal:rename")
    os.replace(temporary, path)
    con.execute(
        "INSERT INTO store.sealed_file VALUES (?, ?, ?, ?, ?, ?, ?, ?, now())",
        [dataset, month.first, path.name, month.after_no, month.until_no, rows,
         path.stat().st_size, digest],
    )  # fmt: skip


def _forget_hot(con: duckdb.DuckDBPyConnection, month: Month) -> None:
    """Takes out of the hot tables what the files hold.

    Polls that a stretch or a dataset still refers to stay.
    """
    for name in DATASETS:
        make_anew(con, "store", f"{name}_stretch", keep=f"to_no > {month.until_no}")
    referred = " UNION ".join(
        f"SELECT from_no FROM store.{name}_stretch UNION SELECT since_no FROM store.{name}_current"
        for name in DATASETS
    )
    make_anew(
        con,
        "store",
        "poll",
        keep=f"""
        poll_no > {month.until_no} OR poll_no IN (
            {referred}
            UNION SELECT unnest([good_no, silent_no]) FROM store.dataset_now
            UNION SELECT max(poll_no) FROM store.poll)
        """,
    )
