"""`with atomic(con):` - one transaction. Used by the store and its care."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb


@contextmanager
def atomic(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """BEGIN, the body, COMMIT; ROLLBACK when the body or the COMMIT raises.

    The original error is what the caller sees: a ROLLBACK that fails too (DuckDB has already
    ended the transaction after some errors) must not mask it.
    """
    con.execute("BEGIN")
    try:
        yield
        con.execute("COMMIT")
    except BaseException:
        with suppress(duckdb.Error):
            con.execute("ROLLBACK")
        raise
