"""The chain watch, delivery of notices, the board, failed runs: what must not wait for a schedule.

Owns the four sensors and their intervals (Dagster checks every 5 s, so an interval of 5n-1 is
really 5n). The watch polls inside its own evaluation: a run every 30 seconds would cost 165 KB of
event log and seconds of CPU each. All sensors are on from the start.
"""

import asyncio
import time

import dagster as dg

from ccpay_io.alerts.channels import Message, send
from ccpay_io.alerts.heartbeat import beat
from ccpay_io.board import is_behind
from ccpay_io.feeds.result import PollResult, WatchResult
from ccpay_io.logs import log_poll
from ccpay_io.store.folder import PUBLISH_EVERY
from ccpay_io.store.reading import newest
from pipelines.assets.spec import key_of
from pipelines.delivery import due_now, dump_requested, load_requested, next_request, run_key_of
from pipelines.failures import one_line
from pipelines.feeds import FEEDS, cadences
from pipelines.jobs import build_board, deliver_notices
from pipelines.polling import poll_metadata
from pipelines.resources import CcpaymentResource, WarehouseResource
from pipelines.schedules import active_run

DELIVERY_INTERVAL_S = 14
BOARD_INTERVAL_S = 14
FAILURE_INTERVAL_S = 29


@dg.sensor(
    name="chain_watch",
    job_name=deliver_notices.name,
    minimum_interval_seconds=cadences().watch_s - 1,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def chain_watch(
    context: dg.SensorEvaluationContext, ccpay: CcpaymentResource, warehouse: WarehouseResource
) -> dg.SensorResult:
    """Asks for all chain statuses every 30 seconds; stores them, judges alerts, asks for delivery.

    A failing API is not an error here: the attempt is in the ledger, and the tick says why.
    """
    watched = asyncio.run(_watch(ccpay, warehouse))
    beat(warehouse.settings(), watched)
    for poll in watched.polls:
        log_poll(poll)
    events = [_materialization(poll, warehouse) for poll in watched.polls if poll.changed]
    summary = warehouse.redact(_summary(watched))
    context.log.info(summary)
    if watched.notices_due:
        keys = [run_key_of(*notice) for notice in due_now(warehouse)]
        if keys:
            return dg.SensorResult([dg.RunRequest(run_key=keys[-1])], asset_events=events)
    return dg.SensorResult(skip_reason=summary, asset_events=events)


async def _watch(ccpay: CcpaymentResource, warehouse: WarehouseResource) -> WatchResult:
    async with ccpay.collector(warehouse) as collector:
        return await collector.watch_chains()


def _materialization(poll: PollResult, warehouse: WarehouseResource) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        key_of(FEEDS["chains"].asset),
        description=f"the 30-second watch saw {poll.changed} chains change",
        metadata=poll_metadata(poll, warehouse),
    )


def _summary(watched: WatchResult) -> str:
    poll = watched.polls[-1]
    if poll.outcome in ("ok", "partial"):
        changed = sum(each.changed for each in watched.polls)
        return f"{poll.rows} chains answered, {changed} changed, {poll.unknown} unknown"
    return f"{poll.outcome}: {one_line(poll.error) if poll.error else 'no answer'}"


@dg.sensor(
    name="notice_delivery",
    job_name=deliver_notices.name,
    minimum_interval_seconds=DELIVERY_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def notice_delivery(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource
) -> dg.SensorResult | dg.SkipReason:
    """Asks for a delivery run when the published outbox has notices that are due.

    Sends nothing itself: a sensor that dies after sending and before its cursor is stored would
    send twice.
    """
    due = due_now(warehouse)
    if not due:
        return dg.SkipReason("nothing is due")
    if active_run(context.instance, deliver_notices.name):
        return dg.SkipReason(f"{len(due)} due; a delivery run is under way")
    key, requested = next_request(due, load_requested(context.cursor), time.time())
    cursor = dump_requested(requested)
    if key is None:
        return dg.SensorResult(skip_reason=f"{len(due)} due, already asked for", cursor=cursor)
    return dg.SensorResult([dg.RunRequest(run_key=key)], cursor=cursor)


@dg.sensor(
    name="board_refresh",
    job_name=build_board.name,
    minimum_interval_seconds=BOARD_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def board_refresh(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource
) -> dg.RunRequest | dg.SkipReason:
    """Asks for a new board when there is a publication that the board does not show.

    One run per publication: one that cannot be built is reported once, and the next one tried.
    """
    settings = warehouse.settings()
    seen = newest(settings.place)
    if seen is None:
        return dg.SkipReason("nothing is published yet")
    if not is_behind(settings, seen):
        return dg.SkipReason("the board shows the newest publication")
    if active_run(context.instance, build_board.name):
        return dg.SkipReason("the board is being built")
    # A lake's versions are its commits: there it is one run for five minutes of them.
    slot = int(seen.published_at.timestamp() // PUBLISH_EVERY.total_seconds())
    return dg.RunRequest(run_key=f"lake-{slot}" if settings.lake else seen.name)


@dg.run_failure_sensor(
    name="failed_runs",
    minimum_interval_seconds=FAILURE_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def failed_runs(context: dg.RunFailureSensorContext, warehouse: WarehouseResource) -> None:
    """Writes the first failure in a row of each job into the alert log.

    An hour without an API is one line per job, not one for each of its failed polls. Says nothing
    of the others, not even why: Dagster refuses a tick in which one failure is skipped and another
    is not, and would bring both again at each tick after it.
    """
    if _failed_before(context.instance, context.dagster_run):
        return
    send(
        "log",
        Message(
            notice_id=f"run-{context.dagster_run.run_id}",
            severity="warning",
            title=f"{context.dagster_run.job_name} failed: {_cause(context)}",
            body=f"Not repeated until it succeeds again. Run {context.dagster_run.run_id}.",
            payload="{}",
        ),
        warehouse.settings(),
    )


def _failed_before(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the last finished run of the same job, before this one, failed too."""
    finished = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    filters = dg.RunsFilter(job_name=run.job_name, statuses=finished)
    runs = [record.dagster_run for record in instance.get_run_records(filters=filters, limit=50)]
    ids = [each.run_id for each in runs]
    earlier = runs[ids.index(run.run_id) + 1 :] if run.run_id in ids else []
    return bool(earlier) and earlier[0].status == dg.DagsterRunStatus.FAILURE


def _cause(context: dg.RunFailureSensorContext) -> str:
    """The failed step's own words; the run's when no step failed."""
    for event in context.get_step_failure_events():
        failure = event.step_failure_data.user_failure_data
        if failure and failure.description:
            return str(failure.description)
    message = context.failure_event.message or "unknown cause"
    return message.splitlines()[0]


all_sensors = [chain_watch, notice_delivery, board_refresh, failed_runs]
