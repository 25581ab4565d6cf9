"""One poll as an asset: poll, judge the outcome, describe it for analysts.

Owns what all feed assets share. Called by the assets and, for the metadata, by the watch sensor.
"""

from collections.abc import Callable

import dagster as dg
import polars as pl
from pydantic import Field

from ccpay_io.errors import CcpayError, ConfigError, NothingPublished
from ccpay_io.feeds.plan import NothingToAsk
from ccpay_io.feeds.result import PollResult
from ccpay_io.logs import log_poll
from pipelines.cancelling import cancelled_by_signals
from pipelines.failures import failure_of, one_line
from pipelines.feeds import FEEDS
from pipelines.listener import Listener
from pipelines.resources import CcpaymentResource, WarehouseResource


class PollConfig(dg.Config):
    """How a poll may be spared."""

    reuse_s: int = Field(
        default=0,
        description="take the last good poll instead if it is younger than this (seconds)",
    )


async def poll_feed(
    name: str,
    ccpay: CcpaymentResource,
    warehouse: WarehouseResource,
    listener: Listener,
    reuse_s: int = 0,
) -> dg.MaterializeResult:
    """Polls a feed once.

    A partial poll is a success with a warning: what was answered is stored, the rest is unknown. So
    is a poll that has nothing to ask for: nothing is wrong with an empty watchlist.

    Raises:
        dg.Failure: nothing was stored but the attempt; the metadata has code and hint.
        dg.DagsterExecutionInterruptedError: Ctrl-C, or somebody ended the run.
    """
    try:
        with cancelled_by_signals():
            async with ccpay.collector(warehouse) as collector:
                result = await collector.poll(
                    name,
                    reuse_s=reuse_s,
                    on_progress=lambda done, total: listener.progress(name, done, total),
                )
    except CcpayError as error:
        listener.broke(name, error)
        raise failure_of(error, _redact_for(error, warehouse)) from None
    listener.finished(result)
    log_poll(result)
    nothing_to_ask = isinstance(result.error, NothingToAsk)
    if result.outcome in ("failed", "skipped") and result.error and not nothing_to_ask:
        raise failure_of(result.error, warehouse.redact)
    return dg.MaterializeResult(
        metadata={**poll_metadata(result, warehouse), **view_metadata(FEEDS[name].view, warehouse)}
    )


def poll_metadata(result: PollResult, warehouse: WarehouseResource) -> dict[str, dg.MetadataValue]:
    """What a poll came to, in words that the warehouse uses too."""
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(result.rows),
        "changed": dg.MetadataValue.int(result.changed),
        "refused": dg.MetadataValue.int(result.refused),
        "unknown": dg.MetadataValue.int(result.unknown),
        "requests": dg.MetadataValue.int(result.requests),
        "poll_id": dg.MetadataValue.int(result.poll_id),
        "observed_at": dg.MetadataValue.timestamp(result.observed_at),
        "outcome": dg.MetadataValue.text(result.outcome),
        "reused": dg.MetadataValue.bool(result.reused),
    }
    if result.published:
        metadata["published"] = dg.MetadataValue.path(str(result.published))
    if isinstance(result.error, NothingToAsk):
        metadata["warning"] = dg.MetadataValue.text(one_line(result.error))
    if result.outcome == "partial":
        told = [result.coverage, one_line(result.error) if result.error else ""]
        why = warehouse.redact(f" ({'; '.join(filter(None, told))})") if any(told) else ""
        metadata["warning"] = dg.MetadataValue.text(
            f"{result.unknown} entities have no answer and are unknown in this poll{why}"
        )
    return metadata


def _redact_for(error: CcpayError, warehouse: WarehouseResource) -> Callable[[str], str]:
    """Settings that cannot be used name no secrets, and say which they are without values."""
    return str if isinstance(error, ConfigError) else warehouse.redact


def view_metadata(view: str, warehouse: WarehouseResource) -> dict[str, dg.MetadataValue]:
    """The columns of the view that shows this data, and a query to start from."""
    try:
        dictionary = warehouse.read("data_dictionary").filter(pl.col("view_name") == view)
    except NothingPublished:
        return {}
    columns = dictionary.drop_nulls("column_name")
    about = dictionary.filter(pl.col("column_name").is_null())["description"]
    example = about[0].partition("Example: ")[2] if len(about) else ""
    schema = dg.TableSchema(
        [
            dg.TableColumn(name, type=kind or "any", description=text)
            for name, kind, text in columns.select(
                "column_name", "column_type", "description"
            ).iter_rows()
        ]
    )
    return {
        "dagster/column_schema": dg.MetadataValue.table_schema(schema),
        "view": dg.MetadataValue.text(view),
        "sql": dg.MetadataValue.md(f"```sql\n{example or f'SELECT * FROM {view}'}\n```"),
    }
