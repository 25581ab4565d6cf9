"""One job per feed; delivery of notices, pruning, sealing, the care of a lake, the board.

Owns executor, tags and the longest run time of each job. Each job runs in one process: the steps of
a small poll are cheaper than one more interpreter.
"""

from typing import Any

import dagster as dg

from pipelines.assets.spec import key_of
from pipelines.delivery import deliver
from pipelines.feeds import FEEDS, KEY_PREFIX, Feed, cadences, max_runtime_s
from pipelines.pruning import prune

MAX_RUNTIME = "dagster/max_runtime"


def run_config_of(feed: Feed, reuse_s: int) -> dict[str, Any]:
    """The config of a run that takes a poll younger than `reuse_s` seconds instead of asking."""
    return {"ops": {f"{KEY_PREFIX}__{feed.asset}": {"config": {"reuse_s": reuse_s}}}}


# Dagster exports no name for what define_asset_job returns.
def asset_job(name: str, asset: str, about: str, longest_s: int, description: str) -> Any:
    """The job that materializes one asset, and checks what came of it."""
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.assets(key_of(asset)),
        description=description,
        executor_def=dg.in_process_executor,
        tags={"ccpay/feed": about, MAX_RUNTIME: str(longest_s)},
    )


def poll_job(feed: Feed) -> Any:
    """The job that polls a feed and checks what came of it."""
    longest_s = max_runtime_s(feed, getattr(cadences(), feed.name))
    description = f"One poll of the feed {feed.name}, then the checks of its asset."
    return asset_job(feed.job, feed.asset, feed.name, longest_s, description)


@dg.job(
    executor_def=dg.in_process_executor,
    tags={"ccpay/feed": "delivery", MAX_RUNTIME: "240"},
    description="Sends every notice that is due, on every channel.",
)
def deliver_notices() -> None:
    """Sends what is due."""
    deliver()


@dg.job(
    executor_def=dg.in_process_executor,
    tags={"ccpay/feed": "pruning", MAX_RUNTIME: "1800"},
    description="Deletes old Dagster runs and raw answers beyond their retention.",
)
def prune_old() -> None:
    """Deletes what is beyond its retention."""
    prune()


seal_months = asset_job(
    "seal_months", "sealed_month", "sealing", 1800,
    "Seals each month that ended 48 hours ago; usually there is none.",
)  # fmt: skip
tend_lake = asset_job(
    "tend_lake", "lake_files", "tending", 1800,
    "Merges small files of a lake and deletes what no reader needs.",
)  # fmt: skip
build_board = asset_job(
    "build_board", "board", "board", 240,
    "Builds the page with status and fees from the newest publication.",
)  # fmt: skip
poll_jobs = {name: poll_job(feed) for name, feed in FEEDS.items()}
all_jobs = [*poll_jobs.values(), deliver_notices, prune_old, seal_months, tend_lake, build_board]
