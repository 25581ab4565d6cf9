"""The baseline: what people write without this project, one denormalized row per observation.

Owns a DuckDB file with three tables and how rows get into it, in the quickest way that DuckDB has
from Python (an Arrow table in one INSERT). No ledger, no alerts, no check whether a poll is there
already: it is meant to be hard to beat. Called by writing.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl

from ccpay_io.feeds.poll import Poll

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
# Dataset of a poll -> table and its columns after observed_at and poll_id.
_ROWS = {
    "withdraw_fee": ("fee", ("coin", "chain", "fee_amount", "fee_coin")),
    "coin_price": ("price", ("coin", "price_usd")),
    "fiat": ("rate", ("fiat", "usd_rate")),
}


class PlainRows:
    """A DuckDB file of plain rows.

    Args:
        path: the file.
        symbols: coin_id -> symbol; people store symbols, not ids.
    """

    def __init__(self, path: Path, symbols: dict[int, str]) -> None:
        self.path = path
        columns = {"coin_id": list(symbols), "coin": list(symbols.values())}
        self._coins = pl.DataFrame(columns)
        with duckdb.connect(str(path)) as con:
            con.execute(_TABLES)

    def append(self, polls: Sequence[Poll]) -> int:
        """Opens the file, inserts the polls' rows in one transaction, closes it.

        Returns:
            How many rows that were.
        """
        rows = 0
        with duckdb.connect(str(self.path)) as con:
            con.execute("SET TimeZone = 'UTC'; SET threads = 2; BEGIN")
            for poll in polls:
                for dataset in _ROWS.keys() & poll.answers.keys():
                    rows += self._insert(con, poll, dataset)
            con.execute("COMMIT")
        return rows

    def _insert(self, con: duckdb.DuckDBPyConnection, poll: Poll, dataset: str) -> int:
        table, columns = _ROWS[dataset]
        frame = poll.answers[dataset].frame
        if "coin_id" in frame.columns:
            frame = frame.join(self._coins, on="coin_id", maintain_order="left")
        con.register("incoming", frame.select(columns).to_arrow())
        con.execute(
            f"INSERT INTO {table} SELECT ?, ?, * FROM incoming", [poll.observed_at, poll.poll_id]
        )
        con.unregister("incoming")
        return frame.height
