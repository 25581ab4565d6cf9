"""`one(con, sql)`: the row of a query that always has one, such as a count.

Owns the check that it really came. Used wherever rows are read; a query that may
have no row uses `fetchone` and says what None means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb


def one(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()
) -> tuple[Any, ...]:
    """The first row of the answer.

    Raises:
        LookupError: there is none, so the query is not one that always has a row.
    """
    row: tuple[Any, ...] | None = con.execute(sql, list(parameters)).fetchone()
    if row is None:
        raise LookupError(f"no row from: {sql.strip()}")
    return row
