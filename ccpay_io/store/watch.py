"""What the user watches, as rows, so that views and messages can say "watched".

Owns store.watch_setting. Called by the collector inside the poll's transaction.
"""

from __future__ import annotations

import duckdb

from ccpay_io.settings import WatchSettings


def sync_watch_settings(con: duckdb.DuckDBPyConnection, watch: WatchSettings) -> None:
    """Replaces the rows when ccpay.toml says something else than they do."""
    wanted: list[tuple[str, str, str | None]] = sorted(
        [
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
