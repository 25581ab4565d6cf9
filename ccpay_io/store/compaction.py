"""Rows that were deleted leave the file.

Owns finding tables that hold more deleted rows than living ones, and making them anew. Works on the
private file, alone. Called by folder.py before each publication.

What is current is emptied and filled by every poll. DuckDB keeps the rows of before until there are
122,880 of them, so a table of 2,000 fees would be thirty times its size, in each published version
and in each query. A lake has its own care (lake/tending.py).
"""

from __future__ import annotations

import duckdb

from ccpay_io.store.atomic import atomic
from ccpay_io.store.rows import one

# Reading takes as long for any number of rows up to this one: DuckDB takes so many at a time.
_FEW = 2048


def drop_deleted_rows(con: duckdb.DuckDBPyConnection) -> None:
    """Makes those tables anew, each in a transaction; what is in them stays the same."""
    for schema, table, stored, made_by in con.execute(
        "SELECT schema_name, table_name, estimated_size, sql FROM duckdb_tables()"
        " WHERE database_name = current_database() AND estimated_size > ?",
        [_FEW],
    ).fetchall():
        (living,) = one(con, f"SELECT count(*) FROM {schema}.{table}")
        if stored > 2 * living:
            with atomic(con):
                # By the statement that made it: a copy would have lost what must not be NULL.
                con.execute(f"""
                    ALTER TABLE {schema}.{table} RENAME TO before;
                    {made_by};
                    INSERT INTO {schema}.{table} FROM {schema}.before;
                    DROP TABLE {schema}.before
                    """)
