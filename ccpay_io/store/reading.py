"""Reading the published warehouse: `read(view)` and a connection that can do nothing but read.

Owns how a published file, or a lake, is opened for reading. Never opens the private file, so no
reader can lock a writer out. Called by `ccpay query` and `route`, asset checks, the delivery
sensor, reader.py, notebooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import duckdb
import polars as pl

from ccpay_io.errors import NothingPublished, QueryRefused
from ccpay_io.settings import load_settings
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.reading import lake_snapshot, lake_version
from ccpay_io.store.publication import newest_version, published_at
from ccpay_io.store.rows import one

_CONFIGURING = Lock()

# What writes or opens files, and what could hide it: a prepared statement, an EXPLAIN ANALYZE.
_ON_FILES = {
    duckdb.StatementType.ATTACH,
    duckdb.StatementType.COPY,
    duckdb.StatementType.COPY_DATABASE,
    duckdb.StatementType.EXECUTE,
    duckdb.StatementType.EXPORT,
    duckdb.StatementType.PREPARE,
}
_NAMES_FILES = re.compile(r"\b(attach|copy|execute|export)\b", re.IGNORECASE)


Place = Path | Lake
"""What readers open: a warehouse folder, or a lake."""


class Version(NamedTuple):
    """What a reader sees.

    Attributes:
        name: another one whenever something was published, or committed to the lake.
        published_at: when that was, in UTC.
        size: bytes of the published file; None for a lake.
    """

    name: str
    published_at: datetime
    size: int | None = None


def newest(place: Place) -> Version | None:
    """The version that a reader would open now, or None before the first.

    Raises:
        WarehouseError: the lake cannot be reached.
    """
    if not isinstance(place, Lake):
        version = newest_version(place)
        return _version(version) if version else None
    try:
        with lake_snapshot(place) as con:
            return version_seen(con)
    except NothingPublished:
        return None


def version_seen(con: duckdb.DuckDBPyConnection) -> Version:
    """The version that an open connection reads, which need no longer be the newest."""
    kind, path = one(
        con, "SELECT type, path FROM duckdb_databases() WHERE database_name = current_database()"
    )
    return Version(*lake_version(con)) if kind == "ducklake" else _version(Path(path))


def _version(file: Path) -> Version:
    return Version(file.stem, published_at(file), file.stat().st_size)


@contextmanager
def connect_published(place: Place) -> Iterator[duckdb.DuckDBPyConnection]:
    """Opens the newest published version, locked down, and closes it.

    Read-only alone would still let a query COPY to any path and read any file, so external access
    is off but for the sealed months, and the configuration is locked. Open it anew for each piece
    of work: what is open keeps showing the publication it was opened on. Threads may do so at the
    same time. A lake has no publications: there it is a transaction that only reads.

    Args:
        place: the warehouse folder, or the lake.

    Raises:
        NothingPublished: there is nothing to read in this place yet.
        WarehouseError: the lake cannot be reached.
    """
    if isinstance(place, Lake):
        with lake_snapshot(place) as con:
            yield con
        return
    con = _open(place)
    try:
        yield con
    finally:
        con.close()


def nothing_published(place: Place) -> NothingPublished:
    """What to say where there is nothing to read yet."""
    return NothingPublished(
        f"nothing has been published in {place} yet",
        hint="run `ccpay poll all`, or `ccpay up`, first",
    )


def _open(root: Path) -> duckdb.DuckDBPyConnection:
    """A connection to the newest version; tried again if that was pruned at this very moment."""
    for _ in range(2):
        version = published_version(root)
        try:
            return _connect(version, root)
        except duckdb.IOException:
            if version.exists():
                raise
    return _connect(published_version(root), root)


def published_version(root: Path) -> Path:
    """The newest published version of a folder.

    Raises:
        NothingPublished: there is no publication in this folder yet.
    """
    version = newest_version(root)
    if version is None:
        raise nothing_published(root)
    return version


def _connect(version: Path, root: Path) -> duckdb.DuckDBPyConnection:
    """Connections of one process to the same file share one DuckDB, and thereby its configuration.

    So the first sets it for all of them, one thread at a time, and locks it; the time zone too, or
    those that come later would have the machine's.
    """
    with _CONFIGURING:
        con = duckdb.connect(str(version), read_only=True)
        locked = con.execute("SELECT current_setting('lock_configuration')").fetchone()
        if locked != (True,):
            sealed = str(root / "sealed").replace("'", "''")
            con.execute("SET GLOBAL TimeZone = 'UTC'")
            # DuckDB takes a nested loop for an ASOF join when it expects few rows on its left. Its
            # guess for the changes of one pair is a hundred times too low, and the loop then ten
            # times as slow (docs/benchmarks.md).
            con.execute("SET GLOBAL asof_loop_join_threshold = 0")
            con.execute(f"SET allowed_directories = ['{sealed}']")
            con.execute("SET enable_external_access = false; SET lock_configuration = true")
        return con


def read(view: str, place: Place | None = None) -> pl.DataFrame:
    """The rows of a published view as a polars frame; amounts are exact decimals.

    Args:
        view: name of a view, e.g. "withdraw_fee_now".
        place: the warehouse folder, or the lake; by default the one that the settings name.

    Raises:
        NothingPublished: nothing to read yet.
        QueryRefused: there is no view of that name.
    """
    with connect_published(place or load_settings().place) as con:
        return fetch_view(con, view)


def fetch_view(con: duckdb.DuckDBPyConnection, view: str) -> pl.DataFrame:
    """The rows of a view, on a connection that is open.

    Raises:
        QueryRefused: there is no view of that name.
    """
    if not view.isidentifier():
        raise QueryRefused(f"{view!r} is not the name of a view", hint=_views(con))
    try:
        return fetch_frame(con, f'SELECT * FROM "{view}"')
    except duckdb.CatalogException:
        raise QueryRefused(f"there is no view named {view!r}", hint=_views(con)) from None


def fetch_frame(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()
) -> pl.DataFrame:
    """The rows of a query as a polars frame, by the one way that DuckDB 1.5 and 2.0 share.

    Raises:
        QueryRefused: the statement gives no rows and columns, as SET does.
    """
    result: duckdb.DuckDBPyRelation | None = con.sql(sql, params=list(parameters) or None)
    if result is None:
        raise QueryRefused("not a query", hint="a frame is made of the rows of one SELECT")
    return pl.DataFrame(pl.from_arrow(result.to_arrow_table()))


def refuse_files(con: duckdb.DuckDBPyConnection, sql: str) -> list[duckdb.Statement]:
    """The statements of a text, none of which writes or opens a file.

    DuckDB lets a query read the sealed months, and what it may read it may also replace: these
    kinds of statements are refused before it sees them.

    Raises:
        QueryRefused: one of them might.
        duckdb.Error: it is not SQL.
    """
    statements = con.extract_statements(sql)
    for statement in statements:
        explains = statement.type == duckdb.StatementType.EXPLAIN
        if statement.type in _ON_FILES or (explains and _NAMES_FILES.search(statement.query)):
            raise QueryRefused(
                "not allowed: queries write no files and open no other ones",
                hint="`ccpay query --out` writes the rows of a query to a file",
            )
    return statements


@contextmanager
def clear_errors() -> Iterator[None]:
    """DuckDB's own words; they quote the statement, which is the user's own.

    Raises:
        QueryRefused: in place of what DuckDB raised.
    """
    try:
        yield
    except duckdb.PermissionException as error:
        raise QueryRefused(
            f"not allowed: {_first_line(error)}",
            hint="queries only read the published warehouse; `ccpay query --out` writes files",
        ) from None
    except duckdb.Error as error:
        raise QueryRefused(
            _first_line(error), hint="see the table data_dictionary for views and columns"
        ) from None


def _first_line(error: duckdb.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) if lines else type(error).__name__


def _views(con: duckdb.DuckDBPyConnection) -> str:
    names = con.execute("SELECT DISTINCT view_name FROM data_dictionary ORDER BY 1").fetchall()
    return "views: " + ", ".join(name for (name,) in names)
