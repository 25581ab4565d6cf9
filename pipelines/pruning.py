"""Deletes old Dagster runs and old raw answers.

Owns what Dagster itself never deletes: finished runs (about 165 KB each in SQLite), their event log
file and their folder. Called daily by a schedule.
"""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from ccpay_io.store.raw import prune_raw
from pipelines.resources import WarehouseResource

FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
BATCH = 200


@dg.op
def prune(context: dg.OpExecutionContext, warehouse: WarehouseResource) -> None:
    """Deletes runs and raw answers that are older than [retention] in ccpay.toml says."""
    settings = warehouse.settings()
    now = datetime.now(UTC)
    oldest = now - timedelta(days=settings.retention.dagster_run_days)
    runs = prune_runs(context.instance, oldest)
    files = prune_raw(settings.warehouse, keep_days=settings.retention.raw_days, now=now)
    context.add_output_metadata({"runs_deleted": runs, "raw_files_deleted": files})


def prune_runs(instance: dg.DagsterInstance, oldest: datetime) -> int:
    """Deletes finished runs created before `oldest`; returns how many.

    The last materialization of an asset stays known: Dagster keeps it outside the run.
    """
    filters = dg.RunsFilter(statuses=FINISHED, created_before=oldest)
    deleted = 0
    while records := instance.get_run_records(filters=filters, limit=BATCH):
        for record in records:
            run_id = record.dagster_run.run_id
            instance.delete_run(run_id)
            _delete_files(Path(instance.root_directory), run_id)
        deleted += len(records)
    return deleted


def _delete_files(home: Path, run_id: str) -> None:
    """What delete_run leaves on disk with SQLite storage; nothing with other storages."""
    shutil.rmtree(home / "storage" / run_id, ignore_errors=True)
    for file in (home / "history" / "runs").glob(f"{run_id}.db*"):
        file.unlink(missing_ok=True)
