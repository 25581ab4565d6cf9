"""The baseline in DuckDB: a file of plain rows.

Owns the file, its three tables and how rows get into them, in the quickest way that DuckDB has from
Python (an Arrow table in one INSERT). No ledger, no alerts, no check whether a poll is there
already: it is meant to be hard to beat. Called by writing.py and hour.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl

_TABLES = """
CREATE TABLE IF NOT EXISTS fee (
    observed_at TIMESTAMPTZ, poll_id BIGINT, coin VARCHAR, chain VARCHAR,
    fee_amount DECIMAL(38, 18), fee_coin VARCHAR
);
CREATE TABLE IF NOT EXISTS price (
    observed_at TIMESTAMPTZ, poll_id BIGINT, coin VARCHAR, price_usd DECIMAL(38, 18)
);
CREATE TABLE IF NOT EXISTS rate (
    observed_at TIMESTAMPTZ, poll_id BIGINT, fiat VARCHAR, usd_rate DECIMAL(38, 18)
);
"""


class PlainRows:
    """A DuckDB file of plain rows.

    Args:
        path: the file; created with its tables.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with duckdb.connect(str(path)) as con:
            con.execute(_TABLES)

    def append(self, frames: Mapping[str, pl.DataFrame]) -> None:
        """Opens the file, inserts the rows of one poll or of a day in one transaction, closes it.

        Args:
            frames: table -> rows, as rows.py makes them.
        """
        with duckdb.connect(str(self.path)) as con:
            con.execute("SET TimeZone = 'UTC'; SET threads = 2; BEGIN")
            for table, frame in frames.items():
                con.register("incoming", frame.to_arrow())
                con.execute(f"INSERT INTO {table} FROM incoming")
                con.unregister("incoming")
            con.execute("COMMIT")
