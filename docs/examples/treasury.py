"""An example: a Dagster code location of your own with our feeds and an asset of yours on top.

Copy it and point your workspace at it (docs/dagster.md). It shows both ways: `with_ccpay` loads
our definitions with your resources, under your names; `defs` hangs an asset off ours. Where ours
run already in another code location of the same Dagster, the key is enough without `with_ccpay`.
"""

import dagster as dg
import polars as pl

from pipelines.build import build_defs
from pipelines.resources import CcpaymentResource, WarehouseResource

# Your variables, your folder. The UI shows their names; a run fails where one of them is not set.
ACCOUNT = {"app_id": dg.EnvVar("TREASURY_PAY_ID"), "app_secret": dg.EnvVar("TREASURY_PAY_SECRET")}
FOLDER = dg.EnvVar("TREASURY_WAREHOUSE")


@dg.asset(
    key=["treasury", "usdt_payout_cost"],
    deps=[dg.AssetKey(["ccpay", "withdraw_fee"])],
    automation_condition=dg.AutomationCondition.eager(),
)
def usdt_payout_cost(warehouse: WarehouseResource) -> dg.MaterializeResult:
    """What it costs to pay USDT out on each chain, cheapest first; exact, as Decimal."""
    fees = warehouse.read("withdraw_fee_now").filter(
        (pl.col("coin") == "USDT") & (pl.col("state") == "ok")
    )
    cheapest = fees.sort("fee_usd").select("chain", "fee_usd", "observed_at")
    cheapest.write_parquet("usdt_payout_cost.parquet")
    return dg.MaterializeResult(metadata={"dagster/row_count": len(cheapest)})


def with_ccpay() -> dg.Definitions:
    """Everything of ours with what is yours; a function, as a module may have one Definitions."""
    return build_defs(
        resource_overrides={
            "ccpay": CcpaymentResource(**ACCOUNT, folder=FOLDER),
            "warehouse": WarehouseResource(**ACCOUNT, folder=FOLDER),
        }
    )


# An eager asset needs a sensor that is on; without one Dagster waits for somebody to switch it on.
watch_updates = dg.AutomationConditionSensorDefinition(
    "watch_updates",
    target=dg.AssetSelection.groups("default"),
    default_status=dg.DefaultSensorStatus.RUNNING,
)

defs = dg.Definitions.merge(
    with_ccpay(), dg.Definitions(assets=[usdt_payout_cost], sensors=[watch_updates])
)
