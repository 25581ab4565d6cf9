"""The same polls as people store them without this project: one denormalized row per observation.

Owns the tables of the baselines and how polls become their rows: symbols instead of ids, the time
and the poll in each row. Called by plain.py, clickhouse.py and by_dlt.py, so that all of them hold
the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from ccpay_io.feeds.poll import Poll

# Dataset of a poll -> table and its columns after observed_at and poll_id.
TABLES = {
    "withdraw_fee": ("fee", ("coin", "chain", "fee_amount", "fee_coin")),
    "coin_price": ("price", ("coin", "price_usd")),
    "fiat": ("rate", ("fiat", "usd_rate")),
}


def rows_of(polls: Sequence[Poll], symbols: Mapping[int, str]) -> dict[str, pl.DataFrame]:
    """Table -> the rows of these polls, oldest first; no table without rows.

    Args:
        polls: in the order of time.
        symbols: coin_id -> symbol.
    """
    coins = pl.DataFrame({"coin_id": list(symbols), "coin": list(symbols.values())})
    frames = {}
    for dataset, (table, columns) in TABLES.items():
        parts = [_stamped(poll, dataset) for poll in polls if dataset in poll.answers]
        if parts:
            frame = pl.concat(parts)
            if "coin_id" in frame.columns:
                frame = frame.join(coins, on="coin_id", maintain_order="left")
            frames[table] = frame.select("observed_at", "poll_id", *columns)
    return frames


def _stamped(poll: Poll, dataset: str) -> pl.DataFrame:
    observed = pl.lit(poll.observed_at).cast(pl.Datetime("us", "UTC"))
    return poll.answers[dataset].frame.with_columns(
        observed_at=observed, poll_id=pl.lit(poll.poll_id, pl.Int64)
    )
