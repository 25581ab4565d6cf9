"""What a chain in maintenance means for the merchant: which coins, and where to pay them out.

Reads the views of the poll's own transaction. Called by messages.py.
"""

from __future__ import annotations

import duckdb

_NAMED = 5
_ALTERNATIVES = 3
_COINS = """
    SELECT n.coin
    FROM coin_network_now AS n
    WHERE n.chain = $chain
      AND (n.coin IN (SELECT name FROM store.watch_setting WHERE kind = 'coin')
           OR NOT EXISTS (FROM store.watch_setting WHERE kind = 'coin'))
    ORDER BY n.coin_id
"""
# The cheapest usable chain of each coin, and what it costs more than the one in maintenance.
_INSTEAD = """
    SELECT here.coin, best.chain, best.fee_usd - here.fee_usd AS extra_usd
    FROM payout_route_ranking AS here
    JOIN (
        SELECT coin_id, arg_min(chain, fee_usd) AS chain, min(fee_usd) AS fee_usd
        FROM payout_route_ranking
        WHERE reason_excluded IS NULL AND chain <> $chain
        GROUP BY coin_id
    ) AS best USING (coin_id)
    WHERE here.chain = $chain
      AND (here.coin IN (SELECT name FROM store.watch_setting WHERE kind = 'coin')
           OR NOT EXISTS (FROM store.watch_setting WHERE kind = 'coin'))
    ORDER BY here.coin_id
"""


def impact_of(con: duckdb.DuckDBPyConnection, chain: str) -> list[str]:
    """Lines for a message: the merchant's coins on the chain, and the next best routes."""
    coins = [str(coin) for (coin,) in con.execute(_COINS, {"chain": chain}).fetchall()]
    if not coins:
        return ["None of your coins is known to use it."]
    shown = ", ".join(coins[:_NAMED]) + (", ..." if len(coins) > _NAMED else "")
    lines = [f"Coins on it: {len(coins)} ({shown}). Deposits and withdrawals may be delayed."]
    routes = con.execute(_INSTEAD, {"chain": chain}).fetchall()
    if routes:
        lines.append("Pay out instead: " + "; ".join(map(_route, routes[:_ALTERNATIVES])) + ".")
    return lines


def _route(row: tuple[object, ...]) -> str:
    coin, chain, extra = row
    if extra is None:
        return f"{coin} on {chain}, extra cost unknown"
    return f"{coin} on {chain}, {extra:+.2f} USD"
