"""When each feed is polled, and when the warehouse is cared for.

Owns the cron lines, made from the cadences of ccpay.toml, and the rule that a tick is skipped, with
a reason, while the job's last run is still going. All schedules are on from the start.
"""

from collections.abc import Iterator

import dagster as dg

from pipelines.feeds import FEEDS, Feed, cadences
from pipelines.jobs import poll_jobs, prune_old, run_config_of, seal_months, tend_lake
from pipelines.resources import WarehouseResource

MINUTE, HOUR = 60, 3600

# A poll of the watch that is this young is as good as a new one, and costs no request. Who asks by
# hand gets a new one.
REUSE_S = {"chains": 60}


def cron_of(cadence_s: int) -> str:
    """The cron line of a cadence; config.py only lets pass what fits the clock."""
    if cadence_s < HOUR:
        return f"*/{cadence_s // MINUTE} * * * *"
    hours = cadence_s // HOUR
    return f"0 */{hours} * * *" if hours < 24 else "0 0 * * *"


def active_run(instance: dg.DagsterInstance, job: str) -> dg.DagsterRun | None:
    """A run of this job that is queued or going on."""
    unfinished = [
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
    filters = dg.RunsFilter(job_name=job, statuses=unfinished)
    return next(iter(instance.get_runs(filters=filters, limit=1)), None)


def poll_schedule(feed: Feed) -> dg.ScheduleDefinition:
    """The schedule of a feed's job."""

    @dg.schedule(
        name=f"{feed.job}_schedule",
        job=poll_jobs[feed.name],
        cron_schedule=cron_of(getattr(cadences(), feed.name)),
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Polls the feed {feed.name}.",
    )
    def tick(
        context: dg.ScheduleEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        busy = active_run(context.instance, feed.job)
        if busy:
            yield dg.SkipReason(f"run {busy.run_id[:8]} of {feed.job} has not ended yet")
        else:
            yield dg.RunRequest(run_config=run_config_of(feed, REUSE_S.get(feed.name, 0)))

    return tick


poll_schedules = [poll_schedule(feed) for feed in FEEDS.values()]

# At a quiet moment between two polls.
prune_schedule = dg.ScheduleDefinition(
    name="prune_old_schedule",
    job=prune_old,
    cron_schedule="23 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)

# Before it: what is sealed does not wait for the next day's pruning.
seal_schedule = dg.ScheduleDefinition(
    name="seal_months_schedule",
    job=seal_months,
    cron_schedule="53 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


@dg.schedule(
    name="tend_lake_schedule",
    job=tend_lake,
    cron_schedule="38 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Cares for the lake, if the warehouse is one.",
)
def tend_schedule(warehouse: WarehouseResource) -> dg.RunRequest | dg.SkipReason:
    """An hour of polls leaves some three hundred small files."""
    if warehouse.settings().lake is None:
        return dg.SkipReason("the warehouse is a folder")
    return dg.RunRequest()


all_schedules = [*poll_schedules, prune_schedule, seal_schedule, tend_schedule]
