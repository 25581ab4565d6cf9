"""The asset of the user's own addresses and Cwallet ids."""

import dagster as dg

from pipelines.assets.spec import feed_asset
from pipelines.listener import Listener
from pipelines.polling import PollConfig, poll_feed
from pipelines.resources import CcpaymentResource, WarehouseResource


@dg.asset(**feed_asset("watchlist", endpoint="checkWithdrawalAddressValidity", group="watchlist"))
async def watchlist(
    config: PollConfig,
    ccpay: CcpaymentResource,
    warehouse: WarehouseResource,
    listener: dg.ResourceParam[Listener],
) -> dg.MaterializeResult:
    """Are the addresses and Cwallet ids that you listed in ccpay.toml still valid?

    **Grain**: one row per listed entry (key: `label`, `chain`, `address`). **Cadence**: every 6
    hours. **Source**: `checkWithdrawalAddressValidity` and `getCwalletUserId`. Addresses are stored
    as hashes.

    Read `address_validity_now` and `cwallet_user_now`.
    """
    return await poll_feed("watchlist", ccpay, warehouse, listener, config.reuse_s)
