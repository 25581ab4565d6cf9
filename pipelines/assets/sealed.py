"""The asset that seals a month when it is over: the history leaves the hot file for Parquet."""

from datetime import UTC, datetime

import dagster as dg

from ccpay_io.store.sealing import retire, seal
from pipelines.assets.spec import key_of
from pipelines.resources import WarehouseResource


@dg.asset(
    key=key_of("sealed_month"),
    group_name="care",
    kinds={"duckdb", "parquet"},
    deps=[key_of(name) for name in ("chain_status", "fiat_rate", "coin_price", "withdraw_fee")],
)
def sealed_month(warehouse: WarehouseResource) -> dg.MaterializeResult:
    """Months of history as immutable Parquet files, one per dataset, readable on their own.

    **Grain**: one file per dataset and month in `sealed/`. **Cadence**: daily; a month is sealed
    48 hours after it ends. **Source**: the warehouse itself.

    Read the views as always: they merge sealed months with the hot file.
    """
    settings, now = warehouse.settings(), datetime.now(UTC)
    if settings.lake:
        return dg.MaterializeResult(metadata={"left_alone": "a lake is Parquet already"})
    store = warehouse.open()
    months = seal(store, now)
    keep = settings.retention.sealed_months
    retired = retire(store, keep_months=keep, now=now) if keep else 0
    return dg.MaterializeResult(
        metadata={
            "months_sealed": [f"{month.first:%Y-%m}" for month in months],
            "files_beyond_retention": retired,
        }
    )
