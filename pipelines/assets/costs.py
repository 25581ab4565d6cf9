"""The assets that say what a payout costs: fees, and the rates that make them comparable."""

import dagster as dg

from pipelines.assets.spec import feed_asset
from pipelines.listener import Listener
from pipelines.polling import PollConfig, poll_feed
from pipelines.resources import CcpaymentResource, WarehouseResource


@dg.asset(**feed_asset("fiats", endpoint="getFiatList", group="costs"))
async def fiat_rate(
    config: PollConfig,
    ccpay: CcpaymentResource,
    warehouse: WarehouseResource,
    listener: dg.ResourceParam[Listener],
) -> dg.MaterializeResult:
    """Units of each fiat per US dollar.

    **Grain**: one row per fiat (key: `fiat_id`). **Cadence**: every 15 minutes.
    **Source**: `getFiatList`. To price a fee in EUR, multiply its USD value by the rate of EUR.

    Read `fiat_rate_now` and `fiat_rate_history`.
    """
    return await poll_feed("fiats", ccpay, warehouse, listener, config.reuse_s)


@dg.asset(
    **feed_asset(
        "prices", endpoint="getCoinUSDTPrice", group="costs", deps=("swap_coin", "coin_network")
    )
)
async def coin_price(
    config: PollConfig,
    ccpay: CcpaymentResource,
    warehouse: WarehouseResource,
    listener: dg.ResourceParam[Listener],
) -> dg.MaterializeResult:
    """The price in US dollars of each coin that fees are charged in.

    **Grain**: one row per coin (key: `coin_id`). **Cadence**: every 5 minutes, with the fees.
    **Source**: `getCoinUSDTPrice`; hourly also from `getCoinList`.

    Read `coin_price_now`.
    """
    return await poll_feed("prices", ccpay, warehouse, listener, config.reuse_s)


@dg.asset(
    **feed_asset(
        "fees",
        endpoint="getWithdrawFee",
        group="costs",
        deps=("chain_status", "swap_coin", "coin_network", "coin_price"),
    )
)
async def withdraw_fee(
    config: PollConfig,
    ccpay: CcpaymentResource,
    warehouse: WarehouseResource,
    listener: dg.ResourceParam[Listener],
) -> dg.MaterializeResult:
    """The network fee of paying out each coin on each of its chains.

    **Grain**: one row per coin and chain (key: `coin_id`, `chain`). **Cadence**: every 5 minutes,
    one request per pair. **Source**: `getWithdrawFee`. A fee is charged in the fee coin, which need
    not be the coin that is paid out.

    Read `withdraw_fee_now` and `withdraw_fee_history`; `ccpay route USDT 500` ranks the chains. A
    refusal (13xxx, 14xxx) is an answer and is stored as `refused`; no answer is `unknown`.
    """
    return await poll_feed("fees", ccpay, warehouse, listener, config.reuse_s)
