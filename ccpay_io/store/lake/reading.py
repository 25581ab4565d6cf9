"""Reading a lake: a transaction that sees the commits of before it began, locked down.

Owns how that is begun, and which snapshot of the lake is the newest. Waits for no writer. Called by
store/reading.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from functools import partial

import duckdb

from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.conflicts import again
from ccpay_io.store.lake.connection import CATALOG, NAME, cursor, forget, opened
from ccpay_io.store.rows import one


@contextmanager
def lake_snapshot(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on which everything is of the same moment, and nothing can be written.

    Raises:
        NothingPublished: there is no lake yet.
        WarehouseError: it cannot be reached.
    """
    with ExitStack() as stack:
        con = again(partial(_begin, lake, stack), cut_off=partial(forget, lake, read_only=True))
        yield con
        with suppress(duckdb.Error):
            con.execute("ROLLBACK")


def lake_version(con: duckdb.DuckDBPyConnection) -> tuple[str, datetime]:
    """Name and moment, in UTC, of the commit that a connection sees."""
    (number,) = one(con, f"SELECT id FROM ducklake_current_snapshot('{NAME}')")
    # Asked of PostgreSQL: DuckLake's own list of snapshots is made whole for each question.
    told = f"SELECT snapshot_time FROM ducklake_snapshot WHERE snapshot_id = {number}"
    (moment,) = one(con, f"FROM postgres_query('{CATALOG}', '{told}')")
    return f"snapshot-{number}", moment


def _begin(lake: Lake, stack: ExitStack) -> duckdb.DuckDBPyConnection:
    """Begun and used, as a connection that was lost is only noticed when it is used."""
    with ExitStack() as begun:
        con = begun.enter_context(cursor(opened(lake, read_only=True)))
        con.execute("BEGIN TRANSACTION")
        one(con, f"FROM ducklake_current_snapshot('{NAME}')")
        stack.enter_context(begun.pop_all())
    return con
