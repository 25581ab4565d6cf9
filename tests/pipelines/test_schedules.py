from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from ccpay_io.settings import FeedSettings
from pipelines.feeds import cadences
from pipelines.schedules import cron_of


@pytest.mark.parametrize(
    ("cadence_s", "cron"),
    [
        (60, "*/1 * * * *"),
        (300, "*/5 * * * *"),
        (1800, "*/30 * * * *"),
        (3600, "0 */1 * * *"),
        (21600, "0 */6 * * *"),
        (86400, "0 0 * * *"),
    ],
)
def test_cadences_become_cron_lines(cadence_s: int, cron: str) -> None:
    """Seconds between polls, as the schedule says them."""
    assert cron_of(cadence_s) == cron


def tick(
    defs: dg.Definitions, instance: dg.DagsterInstance, feed: str
) -> dg.RunRequest | str | None:
    """What a schedule does at a tick: its run request, or the reason why there is none."""
    schedule = defs.get_repository_def().get_schedule_def(f"poll_{feed}_schedule")
    context = dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=datetime(2026, 11, 23, 10, 5, tzinfo=UTC),
        repository_def=defs.get_repository_def(),
    )
    data = schedule.evaluate_tick(context)
    return data.run_requests[0] if data.run_requests else data.skip_message


def test_a_tick_asks_for_a_run(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    """Nothing is going on, so the feed is polled."""
    assert isinstance(tick(defs, instance, "fees"), dg.RunRequest)


def test_the_chain_snapshot_takes_a_poll_of_the_watch(
    defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    """Its run is told to spare the request if the watch asked within the last minute."""
    request = tick(defs, instance, "chains")
    assert isinstance(request, dg.RunRequest)
    assert request.run_config["ops"]["ccpay__chain_status"]["config"] == {"reuse_s": 60}


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING", "STARTED", "CANCELING"])
def test_an_overlapping_tick_is_skipped_with_a_reason(
    defs: dg.Definitions, instance: dg.DagsterInstance, status: str
) -> None:
    """A run that has not ended makes the next tick wait, instead of piling up behind it."""
    run = instance.create_run_for_job(
        defs.resolve_job_def("poll_fees"), status=dg.DagsterRunStatus[status]
    )
    skipped = tick(defs, instance, "fees")
    assert isinstance(skipped, str)
    assert run.run_id[:8] in skipped
    assert isinstance(tick(defs, instance, "fiats"), dg.RunRequest)


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "CANCELED"])
def test_a_run_that_ended_blocks_nothing(
    defs: dg.Definitions, instance: dg.DagsterInstance, status: str
) -> None:
    """Whatever became of the last run, the next tick polls."""
    instance.create_run_for_job(
        defs.resolve_job_def("poll_fees"), status=dg.DagsterRunStatus[status]
    )
    assert isinstance(tick(defs, instance, "fees"), dg.RunRequest)


def test_cadences_of_ccpay_toml_are_used(tmp_path: Path) -> None:
    """The schedule of a feed follows its cadence in the user's file."""
    (tmp_path / "ccpay.toml").write_text("[feeds]\nfiats = 1800\n", "utf-8")
    assert cadences().fiats == 1800


def test_cadences_do_not_need_settings_that_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the settings cannot be used yet, the schedules have the default cadences."""
    monkeypatch.setenv("CCPAY_APP_ID", "without-its-secret")
    assert cadences() == FeedSettings()
