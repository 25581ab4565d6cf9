import os
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from pipelines.build import build_defs
from pipelines.feeds import FEEDS, Feed, max_runtime_s

ROOT = Path(__file__).parents[2]
ASSETS = {
    "ccpay/board",
    "ccpay/chain_status",
    "ccpay/coin_network",
    "ccpay/coin_price",
    "ccpay/fiat_rate",
    "ccpay/sealed_month",
    "ccpay/swap_coin",
    "ccpay/lake_files",
    "ccpay/watchlist",
    "ccpay/withdraw_fee",
}
JOBS = {f"poll_{feed}" for feed in FEEDS} | {
    "build_board",
    "deliver_notices",
    "prune_old",
    "seal_months",
    "tend_lake",
}
CHECKS = ("not_empty", "fresh")


@pytest.fixture
def repository() -> dg.RepositoryDefinition:
    """The repository that Dagster makes of the definitions, without any credentials."""
    return build_defs().get_repository_def()


def test_assets_are_pinned(repository: dg.RepositoryDefinition) -> None:
    """The asset keys are a contract with people who hang their own assets off them."""
    keys = {key.to_user_string() for key in repository.assets_defs_by_key}
    assert keys == ASSETS


def test_jobs_schedules_and_sensors_are_pinned(repository: dg.RepositoryDefinition) -> None:
    """There is a job and a running schedule per feed, and four running sensors."""
    jobs = {name for name in repository.job_names if not name.startswith("__")}
    schedules = {s.name: s for s in repository.schedule_defs}
    sensors = {s.name: s for s in repository.sensor_defs}
    assert jobs == JOBS
    assert set(schedules) == {f"poll_{f}_schedule" for f in FEEDS} | {
        "prune_old_schedule",
        "seal_months_schedule",
        "tend_lake_schedule",
    }
    assert set(sensors) == {"board_refresh", "chain_watch", "notice_delivery", "failed_runs"}
    assert all(s.default_status.value == "RUNNING" for s in schedules.values())
    assert all(s.default_status.value == "RUNNING" for s in sensors.values())


def test_intervals_of_sensors_fit_daggers_loop(repository: dg.RepositoryDefinition) -> None:
    """Dagster looks every five seconds, so an interval of 5n-1 is really 5n."""
    for sensor in repository.sensor_defs:
        assert (sensor.minimum_interval_seconds or 0) % 5 == 4


@pytest.mark.parametrize("feed", FEEDS.values(), ids=list(FEEDS))
def test_each_asset_tells_analysts_what_it_is(
    repository: dg.RepositoryDefinition, feed: Feed
) -> None:
    """Each asset has grain, cadence and source in its description, an owner, kinds and a group."""
    key = dg.AssetKey(["ccpay", feed.asset])
    spec = repository.assets_defs_by_key[key].get_asset_spec(key)
    assert all(word in (spec.description or "") for word in ("Grain", "Cadence", "Source"))
    assert spec.owners == ["team:treasury-data"]
    assert {"python", "duckdb"} <= spec.kinds
    assert spec.group_name != "default"
    assert spec.freshness_policy is not None


@pytest.mark.parametrize("feed", FEEDS.values(), ids=list(FEEDS))
def test_each_asset_has_its_checks(repository: dg.RepositoryDefinition, feed: Feed) -> None:
    """Emptiness, a floor and freshness are checked, and unknown answers where they can show."""
    checks = {
        key.name
        for key in repository.asset_checks_defs_by_key
        if key.asset_key.path[-1] == feed.asset
    }
    floor = "answer_floor" if feed.by_need else "row_floor"
    assert checks == {*CHECKS, floor} | ({"few_unknown"} if feed.state else set())


def test_fees_wait_for_what_decides_them(repository: dg.RepositoryDefinition) -> None:
    """The pairs to ask come from the coin lists, so the lists come first."""
    key = dg.AssetKey(["ccpay", "withdraw_fee"])
    deps = {
        dep.asset_key.path[-1]
        for dep in repository.assets_defs_by_key[key].get_asset_spec(key).deps
    }
    assert deps == {"chain_status", "swap_coin", "coin_network", "coin_price"}


@pytest.mark.parametrize(
    ("feed", "cadence_s", "expected"),
    [("fees", 300, 420), ("fiats", 900, 1260), ("chains", 60, 120), ("watchlist", 21600, 3600)],
)
def test_a_run_is_given_up_after_twice_its_deadline(
    feed: str, cadence_s: int, expected: int
) -> None:
    """A run that was killed keeps its place only that long, and never for hours."""
    assert max_runtime_s(FEEDS[feed], cadence_s) == expected


def test_jobs_name_their_feed_and_longest_run(repository: dg.RepositoryDefinition) -> None:
    """Tags carry the concurrency limit per feed and the run time that monitoring enforces."""
    for feed in FEEDS.values():
        tags = repository.get_job(feed.job).tags
        assert tags["ccpay/feed"] == feed.name
        assert int(tags["dagster/max_runtime"]) > 0


def test_an_override_takes_the_place_of_a_resource() -> None:
    """The composition root is where tests and the command put their own resources in."""
    mine = object()
    defs = build_defs(resource_overrides={"listener": mine})
    assert defs.resources is not None
    assert defs.resources["listener"] is mine


def test_the_workspace_validates_without_credentials(tmp_path: Path) -> None:
    """`dagster definitions validate -w workspace.yaml` passes on a machine that has nothing set."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CCPAY_", "DAGSTER_"))}
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        cwd=ROOT,
        env={**environment, "DAGSTER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 30


def test_definitions_load_with_settings_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A secret without its id fails the runs, with the reason, but not the code location."""
    monkeypatch.setenv("CCPAY_APP_SECRET", "canary-5fd1c0")
    dg.Definitions.validate_loadable(build_defs())
