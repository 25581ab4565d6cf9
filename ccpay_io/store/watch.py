"""What the user watches, and the time zone of months, as rows: views and messages ask for both.

Owns store.watch_setting. Called by the collector inside the poll's transaction.
"""

from __future__ import annotations

import duckdb

from ccpay_io.settings import Settings
from ccpay_io.store.ready import refill


def sync_watch_settings(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Replaces the rows when ccpay.toml says something else than they do."""
    watch = settings.watch
    wanted: list[tuple[str, str, str | None]] = sorted(
        [
            ("board", "timezone", settings.board.timezone),
            *(("chain", chain, None) for chain in watch.chains),
            *(("coin", coin, None) for coin in watch.coins),
            *(("default_route", coin, chain) for coin, chain in watch.default_routes.items()),
        ]
    )
    stored = con.execute(
        "SELECT kind, name, value FROM store.watch_setting ORDER BY ALL"
    ).fetchall()
    if stored == wanted:
        return
    con.execute("DELETE FROM store.watch_setting")
    for row in wanted:
        con.execute("INSERT INTO store.watch_setting VALUES (?, ?, ?)", list(row))
    # It says which chains are watched, and was made before this poll brought the settings.
    refill(con, "store.chain_status_live")
