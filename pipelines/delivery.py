"""Sends alert notices: the op, and which run should be asked for.

Owns how a due notice becomes one run request. What is due, the retry ladder and the sending itself
are ccpay_io.alerts'. Called by the sensors and the delivery job.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg

from ccpay_io import connect_published
from ccpay_io.alerts import deliver as deliver_all
from ccpay_io.alerts import due_notices
from ccpay_io.errors import CcpayError, NothingPublished
from pipelines.failures import failure_of
from pipelines.resources import WarehouseResource

# Dagster never starts a run_key twice, so a delivery run that died before it claimed its notice
# would leave it waiting for ever. After this long a notice that is still due is asked for again.
ASK_AGAIN_S = 600

Requested = Mapping[str, float]


@dg.op
def deliver(context: dg.OpExecutionContext, warehouse: WarehouseResource) -> None:
    """Sends everything that is due, then publishes what became of it."""
    try:
        store = warehouse.open()
        report = deliver_all(store, warehouse.settings())
        if report.sent or report.failed or report.dead:
            # The delivery sensor reads the publication: let it see what is no longer due.
            store.publish(force=True)
    except CcpayError as error:
        raise failure_of(error, warehouse.redact) from None
    context.add_output_metadata({"sent": report.sent, "failed": report.failed, "dead": report.dead})


def due_now(warehouse: WarehouseResource) -> list[tuple[str, int]]:
    """(notice id, attempts so far) of what the published file says is due."""
    try:
        with connect_published(warehouse.settings().place) as con:
            return due_notices(con, datetime.now(UTC))
    except NothingPublished:
        return []


def run_key_of(notice_id: str, attempts: int) -> str:
    """The key of the delivery run for a notice's next attempt."""
    return f"{notice_id}:{attempts + 1}"


def next_request(
    due: Sequence[tuple[str, int]], requested: Requested, now_s: float
) -> tuple[str | None, dict[str, float]]:
    """The run to ask for, if any, and what has then been asked for.

    One run drains everything that is due, so one key, of a notice that was not asked for yet, is
    enough.

    Args:
        due: what is due now.
        requested: run key -> when it was asked for, seconds since the epoch.
        now_s: seconds since the epoch.

    Returns:
        A run key or None, and the new `requested`, without what is no longer due.
    """
    keys = [run_key_of(*notice) for notice in due]
    fresh = [k for k in keys if now_s - requested.get(k, float("-inf")) >= ASK_AGAIN_S]
    if not fresh:
        return None, {k: requested[k] for k in keys}
    first = fresh[0]
    again = first in requested
    key = f"{first}:again-{int(now_s)}" if again else first
    return key, {k: now_s if k in fresh else requested[k] for k in keys}


def load_requested(cursor: str | None) -> dict[str, float]:
    """What a sensor's cursor remembers."""
    return {str(k): float(v) for k, v in json.loads(cursor or "{}").items()}


def dump_requested(requested: Requested) -> str:
    """The cursor for what was asked for."""
    return json.dumps(requested, sort_keys=True)
