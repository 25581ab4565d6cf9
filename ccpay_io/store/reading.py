"""Reading the published warehouse: `read(view)` and a connection that can do nothing but read.

Owns how a published file is opened. Never opens the private file, so no reader can lock a writer
out. Called by `ccpay query` and `route`, asset checks, the delivery sensor, analysts' notebooks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from ccpay_io.errors import NothingPublished, QueryRefused
from ccpay_io.settings import load_settings
from ccpay_io.store.publication import newest_version


@contextmanager
def connect_published(root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Opens the newest published version, locked down, and closes it.

    Read-only alone would still let a query COPY to any path and read any file, so external access
    is off but for the sealed months, and the configuration is locked. Open it anew for each piece
    of work: what is open keeps showing the publication it was opened on.

    Raises:
        NothingPublished: there is no publication in this folder yet.
    """
    with _open(root) as con:
        sealed = str(root / "sealed").replace("'", "''")
        con.execute(f"SET allowed_directories = ['{sealed}']")
        con.execute("SET enable_external_access = false; SET lock_configuration = true")
        yield con


@contextmanager
def _open(root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the newest version; retried if a publication just replaced it."""
    for attempt in (1, 2, 3):
        version = newest_version(root)
        if version is None:
            raise NothingPublished(
                f"nothing has been published in {root} yet",
                hint="run `ccpay poll all`, or `ccpay up`, first",
            )
        try:
            con = duckdb.connect(str(version), read_only=True)
        except duckdb.IOException:
            if attempt == 3 or version.exists():
                raise
            continue
        try:
            con.execute("SET TimeZone = 'UTC'")
            yield con
        finally:
            con.close()
        return


def read(view: str, root: Path | None = None) -> pl.DataFrame:
    """The rows of a published view as a polars frame; amounts are exact decimals.

    Args:
        view: name of a view, e.g. "withdraw_fee_now".
        root: the warehouse folder; by default the one that the settings name.

    Raises:
        NothingPublished: nothing to read yet.
        QueryRefused: there is no view of that name.
    """
    folder = root or load_settings().warehouse
    with connect_published(folder) as con:
        if not view.isidentifier():
            raise QueryRefused(f"{view!r} is not the name of a view", hint=_views(con))
        try:
            return fetch_frame(con, f'SELECT * FROM "{view}"')
        except duckdb.CatalogException:
            raise QueryRefused(f"there is no view named {view!r}", hint=_views(con)) from None


def fetch_frame(con: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    """The rows of a query as a polars frame, by the one way that DuckDB 1.5 and 2.0 share."""
    return pl.DataFrame(pl.from_arrow(con.sql(sql).to_arrow_table()))


def _views(con: duckdb.DuckDBPyConnection) -> str:
    names = con.execute("SELECT DISTINCT view_name FROM data_dictionary ORDER BY 1").fetchall()
    return "views: " + ", ".join(name for (name,) in names)
