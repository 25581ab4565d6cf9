"""Writers of a lake take turns: one transaction at a time, by a lock of PostgreSQL.

Owns that lock. DuckLake by itself lets two transactions run and fails the later one when both
changed a table, and two polls always do: they replace what is current. A lock that a connection of
PostgreSQL holds is released when its process dies, however it dies. Called by storage.py and
tending.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from ccpay_io.errors import WarehouseLocked
from ccpay_io.store.lake.connection import CATALOG, Opened, cursor

TIMEOUT_S = 120
# Any number that no other program on the same database takes: "ccpay" in hexadecimal.
_KEY = 0x6363706179


@contextmanager
def turn(found: Opened, name: str) -> Iterator[None]:
    """Holds the writers' lock of the lake.

    Args:
        found: the DuckDB that writes.
        name: of the lake, for the error.

    Raises:
        WarehouseLocked: others held the lock for two minutes.
        duckdb.Error: the catalog cannot be reached.
    """
    with cursor(found) as con:
        # The transaction is one of PostgreSQL too; it holds the lock until it ends.
        con.execute("BEGIN")
        _ask(con, f"SELECT set_config(''lock_timeout'', ''{TIMEOUT_S}s'', true)")
        try:
            _ask(con, f"SELECT pg_advisory_xact_lock({_KEY})::text")
        except duckdb.Error as error:
            if "lock timeout" not in str(error):
                raise
            raise WarehouseLocked(
                f"other writers have held {name} for {TIMEOUT_S} s",
                hint="look for a hanging ccpay or Dagster process on any machine and stop it",
            ) from None
        yield
        # Without the connection there is no lock any more either.
        with suppress(duckdb.Error):
            con.execute("COMMIT")


def _ask(con: duckdb.DuckDBPyConnection, statement: str) -> None:
    con.execute(f"FROM postgres_query('{CATALOG}', '{statement}')").fetchall()
