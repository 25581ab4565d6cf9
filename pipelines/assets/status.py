"""The asset of chain statuses. The 30-second watch beside it is a sensor (sensors.py)."""

import dagster as dg

from pipelines.assets.spec import feed_asset
from pipelines.listener import Listener
from pipelines.polling import PollConfig, poll_feed
from pipelines.resources import CcpaymentResource, WarehouseResource


@dg.asset(**feed_asset("chains", endpoint="getChainList", group="status"))
async def chain_status(
    config: PollConfig,
    ccpay: CcpaymentResource,
    warehouse: WarehouseResource,
    listener: dg.ResourceParam[Listener],
) -> dg.MaterializeResult:
    """Is each chain normal or in maintenance?

    **Grain**: one row per chain (key: `chain`). **Cadence**: watched every 30 seconds; this
    snapshot every 5 minutes reuses a watch poll younger than a minute. **Source**: `getChainList`.

    Read `chain_status_now` and `chain_status_history`. During an API outage the status is
    `unknown`, never maintenance; ask `last_known_status`.
    """
    return await poll_feed("chains", ccpay, warehouse, listener, config.reuse_s)
