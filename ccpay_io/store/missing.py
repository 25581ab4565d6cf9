"""Pairs that are known not to exist, so that nobody asks for them at every poll.

Owns store.missing_pair. Needed by accounts that may not ask getCoinList, whose pairs are found by
trial. Called by writer.py inside the poll's transaction; feeds/plan.py reads the table.
"""

from __future__ import annotations

import duckdb
import polars as pl

from ccpay_io.feeds.poll import Poll

# InvalidCoin, InvalidChain: "this coin (on this chain) is not supported".
NO_SUCH_PAIR = (13000, 13001)


def remember_missing(
    con: duckdb.DuckDBPyConnection, poll: Poll, *, membership_changed: bool
) -> None:
    """Remembers the poll's 13000/13001 answers; forgets all when a coin or chain came or went."""
    if poll.feed in ("chains", "coins", "networks") and membership_changed:
        con.execute("DELETE FROM store.missing_pair")
    if poll.feed != "fees" or "withdraw_fee" not in poll.answers:
        return
    missing = poll.answers["withdraw_fee"].frame.filter(pl.col("refusal_code").is_in(NO_SUCH_PAIR))
    if missing.is_empty():
        return
    con.register("missing", missing.select("coin_id", "chain", "refusal_code").to_arrow())
    con.execute(
        "INSERT INTO store.missing_pair BY NAME SELECT *, ?::BIGINT AS poll_id FROM missing"
        " ANTI JOIN store.missing_pair USING (coin_id, chain)",
        [poll.poll_id],
    )
    con.unregister("missing")
