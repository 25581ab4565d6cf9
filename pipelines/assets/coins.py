"""The assets that say which coins exist and on which chains they live."""

import dagster as dg

from pipelines.assets.spec import feed_asset
from pipelines.listener import Listener
from pipelines.polling import PollConfig, poll_feed
from pipelines.resources import CcpaymentResource, WarehouseResource


@dg.asset(**feed_asset("coins", endpoint="getSwapCoinList", group="reference"))
async def swap_coin(
    config: PollConfig,
    ccpay: CcpaymentResource,
    warehouse: WarehouseResource,
    listener: dg.ResourceParam[Listener],
) -> dg.MaterializeResult:
    """The coins that the merchant can swap and pay out.

    **Grain**: one row per coin (key: `coin_id`; symbols need not be unique). **Cadence**: hourly.
    **Source**: `getSwapCoinList`, which lists what the merchant added in the dashboard.

    Read `swap_coin_now`.
    """
    return await poll_feed("coins", ccpay, warehouse, listener, config.reuse_s)


@dg.asset(**feed_asset("networks", endpoint="getCoinList", group="reference"))
async def coin_network(
    config: PollConfig,
    ccpay: CcpaymentResource,
    warehouse: WarehouseResource,
    listener: dg.ResourceParam[Listener],
) -> dg.MaterializeResult:
    """The chains of each coin, with limits and whether deposits and withdrawals are open.

    **Grain**: one row per coin and chain (key: `coin_id`, `chain`). **Cadence**: hourly.
    **Source**: `getCoinList`, which also brings coin prices.

    Read `coin_network_now`.
    """
    return await poll_feed("networks", ccpay, warehouse, listener, config.reuse_s)
