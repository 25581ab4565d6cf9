"""Rows that were deleted leave the file.

Owns making a table anew with the rows that stay, and finding those that hold more deleted rows than
living ones. Works on the private file, alone. Called by folder.py before each publication, and by
sealing.py.

DuckDB gives the space of a dropped table back, that of deleted rows it keeps. What is current is
emptied and filled by every poll, and the rows of before stay until there are 122,880 of them: a
table of 2,000 fees would be thirty times its size, in each published version and in each query. A
lake has its own care (lake/tending.py).
"""

from __future__ import annotations

import duckdb

from ccpay_io.store.atomic import atomic
from ccpay_io.store.rows import one

# Reading takes as long for any number of rows up to this one: DuckDB takes so many at a time.
_FEW = 2048


def drop_deleted_rows(con: duckdb.DuckDBPyConnection) -> None:
    """Makes those tables anew, each in a transaction; what is in them stays the same."""
    for schema, table, stored in con.execute(
        "SELECT schema_name, table_name, estimated_size FROM duckdb_tables()"
        " WHERE database_name = current_database() AND estimated_size > ?",
        [_FEW],
    ).fetchall():
        (living,) = one(con, f"SELECT count(*) FROM {schema}.{table}")
        if stored > 2 * living:
            with atomic(con):
                make_anew(con, schema, table)


def make_anew(
    con: duckdb.DuckDBPyConnection, schema: str, table: str, *, keep: str = "true"
) -> None:
    """Replaces a table by itself with only the rows of which `keep` holds, inside the transaction.

    By the statement that made it: a copy would have lost what must not be NULL.
    """
    (made_by,) = one(
        con,
        "SELECT sql FROM duckdb_tables() WHERE database_name = current_database()"
        " AND schema_name = ? AND table_name = ?",
        [schema, table],
    )
    con.execute(f"""
        CREATE TEMP TABLE kept AS FROM {schema}.{table} WHERE {keep};
        DROP TABLE {schema}.{table};
        {made_by};
        INSERT INTO {schema}.{table} FROM temp.kept;
        DROP TABLE temp.kept
        """)
