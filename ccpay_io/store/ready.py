"""Tables that answer "now" questions in a millisecond: made once per commit, not by each reader.

Owns store.<name>_ready, the rows of the view store.<name>_live as the last commit left them. What
depends on the moment of asking (ages, staleness) is not in them; the public views add it. Called by
writer.py at the end of each transaction that stores polls, and by schema.py, which makes the views.
"""

from __future__ import annotations

import duckdb

# In this order: whether a route is usable depends on its chain.
LIVE = ("store.chain_status_live", "store.withdraw_fee_live")


def refresh_ready(con: duckdb.DuckDBPyConnection) -> None:
    """Makes all of them anew, inside the transaction."""
    for live in LIVE:
        make_ready(con, live)


def make_ready(con: duckdb.DuckDBPyConnection, live: str) -> None:
    """Makes the table of one such view anew."""
    con.execute(f"CREATE OR REPLACE TABLE {live.removesuffix('_live')}_ready AS FROM {live}")
