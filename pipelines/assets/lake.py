"""The asset that cares for a lake: few large files, and no snapshots that nobody reads."""

from dataclasses import asdict
from datetime import UTC, datetime

import dagster as dg

from ccpay_io.store.lake.tending import tend
from pipelines.assets.spec import key_of
from pipelines.resources import WarehouseResource


@dg.asset(
    key=key_of("lake_files"),
    group_name="care",
    kinds={"ducklake", "parquet"},
    deps=[key_of(name) for name in ("chain_status", "fiat_rate", "coin_price", "withdraw_fee")],
)
def lake_files(warehouse: WarehouseResource) -> dg.MaterializeResult:
    """The files of a warehouse on DuckLake, merged, and without those that nobody needs any more.

    **Grain**: the lake. **Cadence**: hourly, where the warehouse is a lake. **Source**: the lake
    itself.

    A folder needs none of it and is left alone.
    """
    lake = warehouse.settings().lake
    if lake is None:
        return dg.MaterializeResult(metadata={"left_alone": "the warehouse is a folder"})
    return dg.MaterializeResult(metadata=asdict(tend(lake, datetime.now(UTC))))
