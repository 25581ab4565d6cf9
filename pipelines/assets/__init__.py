"""Feeds, sealed months, the care of a lake and the board as Dagster assets: what the catalog shows.

Owns descriptions, owners, kinds and dependencies. A feed's body is one call of polling.poll_feed.
Modules with assets must not postpone annotations: Dagster reads them when the asset is defined.
"""

from pipelines.assets.board import board
from pipelines.assets.coins import coin_network, swap_coin
from pipelines.assets.costs import coin_price, fiat_rate, withdraw_fee
from pipelines.assets.lake import lake_files
from pipelines.assets.sealed import sealed_month
from pipelines.assets.status import chain_status
from pipelines.assets.watchlist import watchlist

all_assets = [
    chain_status,
    fiat_rate,
    swap_coin,
    coin_network,
    coin_price,
    withdraw_fee,
    watchlist,
    sealed_month,
    lake_files,
    board,
]
