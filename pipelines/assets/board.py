"""The asset of the board: a page that shows what the last publication says."""

import dagster as dg

from ccpay_io.board import build_board
from pipelines.assets.spec import key_of
from pipelines.resources import WarehouseResource


@dg.asset(
    key=key_of("board"),
    group_name="board",
    kinds={"html", "duckdb"},
    owners=["team:treasury-data"],
    deps=[
        key_of(name)
        for name in ("chain_status", "fiat_rate", "coin_network", "coin_price", "withdraw_fee")
    ],
)
def board(warehouse: WarehouseResource) -> dg.MaterializeResult:
    """Status and fees at a glance, for people without SQL.

    **Grain**: one HTML file that needs no server, and `status.json` for programs beside it.
    **Cadence**: after each publication. **Source**: the published warehouse alone.

    Open `board/board.html` in the warehouse folder, or the address that `ccpay up` prints.
    """
    built = build_board(warehouse.settings())
    metadata: dict[str, dg.MetadataValue] = {
        "page": dg.MetadataValue.path(str(built.page)),
        "bytes": dg.MetadataValue.int(built.size),
        "seconds": dg.MetadataValue.float(round(built.took_s, 2)),
    }
    if built.published_at:
        metadata["published_at"] = dg.MetadataValue.timestamp(built.published_at)
    return dg.MaterializeResult(metadata=metadata)
