"""Tables that answer "now" questions in a millisecond: made once per commit, not by each reader.

Owns store.<name>_ready, the rows of the view store.<name>_live as the last commit left them. What
depends on the moment of asking (ages, staleness) is not in them; the public views add it. Called by
writer.py at the end of each transaction that stores polls, and by schema.py, which makes the views.
"""

from __future__ import annotations

import duckdb

# The feeds that say something about a route, beside the chains.
_OF_ROUTES = {"fees", "prices", "networks", "coins"}


def refresh_ready(con: duckdb.DuckDBPyConnection, feeds: set[str]) -> None:
    """Brings the tables up to date with polls of these feeds, inside the transaction.

    The watch polls every 30 seconds and rarely sees anything new, so routes are only made anew when
    a chain's status is another one.
    """
    before = _statuses(con)
    make_ready(con, "store.chain_status_live")
    if feeds & _OF_ROUTES or before != _statuses(con):
        make_ready(con, "store.withdraw_fee_live")


def make_ready(con: duckdb.DuckDBPyConnection, live: str) -> None:
    """Makes the table of one such view anew."""
    con.execute(f"CREATE OR REPLACE TABLE {live.removesuffix('_live')}_ready AS FROM {live}")


def _statuses(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """What routes depend on of each chain."""
    return con.execute(
        "SELECT chain, status, unknown_reason, needs_memo FROM store.chain_status_ready ORDER BY 1"
    ).fetchall()
