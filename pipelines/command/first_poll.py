"""The first poll of `ccpay up`, in a process of its own so that `up` itself stays small.

Owns what must happen before anything runs: runs that died with an earlier `up` are closed, or their
feeds would wait for them. Started by up.py; code_server.py closes dead runs by it on a server.
"""

import signal
import sys

import dagster as dg

from ccpay_io.settings import load_settings
from ccpay_io.store.datasets import FEEDS
from pipelines.command.opening import open_instance
from pipelines.command.polling import poll_feeds

# Set by Dagster on runs that a daemon launched; a `ccpay poll` of somebody else has none.
LAUNCHED = ".dagster/grpc_info"


def close_dead_runs(instance: dg.DagsterInstance) -> int:
    """Marks runs of a code server that is gone as failed: it took their processes with it."""
    unfinished = [
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
    dead = [
        run
        for run in instance.get_runs(filters=dg.RunsFilter(statuses=unfinished))
        if LAUNCHED in run.tags
    ]
    for run in dead:
        instance.report_run_failed(run, "ended with the code server that had started it")
    return len(dead)


def main() -> int:
    """Polls what is older than its cadence; the exit code is that of `ccpay poll`."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = load_settings()
    with open_instance(settings) as instance:
        close_dead_runs(instance)
    return poll_feeds(settings, FEEDS, reuse=True)


if __name__ == "__main__":
    from pipelines.command.main import guarded

    sys.exit(guarded(main))
