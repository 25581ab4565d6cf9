from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from pipelines.pruning import prune_runs
from pipelines.resources import WarehouseResource


def test_old_runs_go_with_their_files_and_assets_stay_known(
    defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    """A finished run beyond its retention leaves nothing on disk; a run that goes on stays."""
    done = defs.resolve_job_def("poll_fiats").execute_in_process(instance=instance)
    going_on = instance.create_run_for_job(
        defs.resolve_job_def("poll_fees"), status=dg.DagsterRunStatus.STARTED
    )
    files = Path(instance.root_directory) / "history" / "runs"
    assert list(files.glob(f"{done.run_id}.db*"))

    assert prune_runs(instance, datetime.now(UTC) + timedelta(minutes=1)) == 1

    assert not list(files.glob(f"{done.run_id}.db*"))
    assert instance.get_run_by_id(done.run_id) is None
    assert instance.get_run_by_id(going_on.run_id) is not None
    assert dg.AssetKey(["ccpay", "fiat_rate"]) in instance.all_asset_keys()


def test_young_runs_stay(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    """Nothing within its retention is touched."""
    done = defs.resolve_job_def("poll_fiats").execute_in_process(instance=instance)
    assert prune_runs(instance, datetime.now(UTC) - timedelta(days=7)) == 0
    assert instance.get_run_by_id(done.run_id) is not None


def test_the_job_deletes_raw_answers_beyond_their_retention(
    defs: dg.Definitions, instance: dg.DagsterInstance, warehouse: WarehouseResource
) -> None:
    """Old day folders go; today's stays."""
    defs.resolve_job_def("poll_fiats").execute_in_process(instance=instance)
    raw = warehouse.settings().warehouse / "raw"
    old = raw / "2020-01-01"
    old.mkdir()
    (old / "fiats-1-0.jsonl.zst").write_bytes(b"")
    assert defs.resolve_job_def("prune_old").execute_in_process(instance=instance).success
    assert not old.exists()
    assert len(list(raw.iterdir())) == 1
