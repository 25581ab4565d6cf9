"""Opens the Dagster instance of a warehouse, also when several processes do so for the first time.

Owns the lock around that. Called by the commands that run Dagster jobs themselves.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from filelock import FileLock

from ccpay_io.settings import Settings
from pipelines.instance import prepare_home

# Making the tables takes seconds on a slow disk.
TIMEOUT_S = 120


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The instance in DAGSTER_HOME, ready to use.

    Dagster makes its SQLite tables when each of its storages is first used, and two processes that
    do so at the same moment fail on each other's.
    """
    home = prepare_home(settings.dagster_home)
    with FileLock(home / "instance.lock", timeout=TIMEOUT_S):
        instance = dg.DagsterInstance.from_config(str(home))
        instance.get_runs(limit=1)
        instance.all_asset_keys()
        instance.all_instigator_state()
    with instance:
        yield instance
