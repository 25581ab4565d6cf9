from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from lakes import Lakes

import ccpay_io
from ccpay_io.store.lake.connection import forget
from ccpay_io.store.lake.tending import tend
from pipelines.build import build_defs
from pipelines.resources import WarehouseResource


@pytest.fixture
def on_a_lake(
    lakes: Lakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ccpay_io.Settings]:
    """The settings of a sandbox whose warehouse is a lake, in the environment of the process."""
    lake = lakes.none_yet(None)
    monkeypatch.chdir(tmp_path)
    for name, value in lakes.postgres.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CCPAY_WAREHOUSE", f"ducklake:postgres:{lake.catalog}")
    monkeypatch.setenv("CCPAY_DATA_PATH", str(tmp_path / "shared"))
    settings = ccpay_io.load_settings()
    yield settings
    assert settings.lake
    forget(settings.lake, read_only=True)
    forget(settings.lake, read_only=False)


def test_polls_and_care_run_on_a_lake_through_the_definitions(
    on_a_lake: ccpay_io.Settings, instance: dg.DagsterInstance
) -> None:
    """A poll is an asset as ever; care then leaves fewer files and all rows."""
    defs = build_defs()
    for job in ("poll_chains", "poll_fiats", "poll_chains", "poll_fiats"):
        run = defs.resolve_job_def(job).execute_in_process(instance=instance)
        assert run.success
    before = ccpay_io.read("fiat_rate_now")

    run = defs.resolve_job_def("tend_lake").execute_in_process(instance=instance)
    assert run.success
    (event,) = run.asset_materializations_for_node("ccpay__lake_files")
    assert event.metadata["rows_moved"].value > 0
    assert on_a_lake.lake
    tended = tend(on_a_lake.lake, datetime.now(UTC), keep=-timedelta(minutes=1))

    assert tended.snapshots_expired > 0
    assert tended.files_deleted > 0
    aged = ["data_age_s", "is_stale"]
    kept = [name for name in before.columns if name not in aged]
    assert ccpay_io.read("fiat_rate_now").select(kept).equals(before.select(kept))
    run = defs.resolve_job_def("seal_months").execute_in_process(instance=instance)
    assert run.success


def test_care_of_a_lake_leaves_a_folder_alone(
    defs: dg.Definitions, instance: dg.DagsterInstance, warehouse: WarehouseResource
) -> None:
    """The job can be started anywhere; the schedule does not start it."""
    run = defs.resolve_job_def("tend_lake").execute_in_process(instance=instance)
    assert run.success
    schedule = defs.get_repository_def().get_schedule_def("tend_lake_schedule")
    context = dg.build_schedule_context(resources={"warehouse": warehouse})
    assert "folder" in str(schedule.evaluate_tick(context).skip_message)
