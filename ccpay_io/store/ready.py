"""Tables that answer "now" questions in a millisecond: made once per commit, not by each reader.

Owns store.<name>_ready, the rows of the view store.<name>_live as the last commit left them. What
depends on the moment of asking (ages, staleness) is not in them; the public views add it. Called by
writer.py at the end of each transaction that stores polls, and by schema.py, which makes the views.
"""

from __future__ import annotations

import duckdb

# The feeds that say something about a chain, or about whether it is watched.
_OF_CHAINS = {"chains", "networks", "coins"}
# The feeds that say something about a route, beside the chains.
_OF_ROUTES = {"fees", "prices", "networks", "coins"}


def refresh_ready(con: duckdb.DuckDBPyConnection, feeds: set[str]) -> None:
    """Brings the tables up to date with polls of these feeds, inside the transaction.

    The watch polls every 30 seconds and rarely sees anything new, so routes are only made anew when
    a chain's status is another one.
    """
    is_another = False
    if feeds & _OF_CHAINS:
        before = _statuses(con)
        refill(con, "store.chain_status_live")
        is_another = before != _statuses(con)
    if is_another or feeds & _OF_ROUTES:
        refill(con, "store.withdraw_fee_live")


def make_ready(con: duckdb.DuckDBPyConnection, live: str) -> None:
    """Makes the table of one such view."""
    con.execute(f"CREATE OR REPLACE TABLE {_table(live)} AS FROM {live}")


def refill(con: duckdb.DuckDBPyConnection, live: str) -> None:
    """Replaces the rows of the table of one such view.

    The table stays the same one: on a lake, a change of the schema makes each connection of each
    machine read the catalog again.
    """
    con.execute(f"DELETE FROM {_table(live)}; INSERT INTO {_table(live)} FROM {live}")


def _table(live: str) -> str:
    return f"{live.removesuffix('_live')}_ready"


def _statuses(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """What routes depend on of each chain."""
    return con.execute(
        "SELECT chain, status, unknown_reason, needs_memo FROM store.chain_status_ready ORDER BY 1"
    ).fetchall()
