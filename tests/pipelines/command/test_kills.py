"""`ccpay poll` killed and raced as a user would: whole processes, at any moment."""

import random
import signal
import subprocess
import sys
import time

import duckdb
import pytest

from ccpay_io.feeds.session import open_warehouse
from ccpay_io.settings import Settings
from ccpay_io.store.publication import stable_path
from ccpay_io.store.verify import verify

COMMAND = [sys.executable, "-m", "pipelines.command.main", "poll", "all"]
TORN = """
    SELECT count(*) FROM store.poll AS p
    WHERE p.outcome IN ('ok', 'partial') AND p.feed = 'fees'
      AND p.answered_count + p.unknown_count <> (
        SELECT count(*) FROM withdraw_fee_snapshot AS s WHERE s.poll_id = p.poll_id)
"""


def published_polls(settings: Settings) -> int:
    """How many polls the published file has; it opens, and no poll in it is half there."""
    con = duckdb.connect(str(stable_path(settings.warehouse)), read_only=True)
    try:
        ((torn,),) = con.execute(TORN).fetchall()
        ((polls,),) = con.execute("SELECT count(*) FROM store.poll").fetchall()
    finally:
        con.close()
    assert torn == 0
    return int(polls)


def check_whole(settings: Settings) -> None:
    """Verify has nothing to complain about."""
    assert [found for found in verify(open_warehouse(settings)) if not found.ok] == []


@pytest.mark.torture
def test_two_polls_of_everything_at_the_same_moment_both_end_well(settings: Settings) -> None:
    """Two polls of each feed in the ledger, no duplicate rows, exit code 0 or 3 from both."""
    both = [subprocess.Popen(COMMAND, stdout=subprocess.DEVNULL) for _ in range(2)]

    assert {process.wait(timeout=110) for process in both} <= {0, 3}
    con = duckdb.connect(str(open_warehouse(settings).private), read_only=True)
    polls = con.execute("SELECT feed, count(*) FROM store.poll GROUP BY 1").fetchall()
    con.close()
    assert set(dict(polls).values()) == {2}
    check_whole(settings)


@pytest.mark.torture
@pytest.mark.timeout(900)
def test_twenty_kills_at_any_moment_of_a_poll_lose_nothing(settings: Settings) -> None:
    """Kill -9 at random moments: the published file always opens and is whole, verify is clean."""
    begun = time.monotonic()
    subprocess.run(COMMAND, check=False, stdout=subprocess.DEVNULL)
    took, before = time.monotonic() - begun, published_polls(settings)
    rng = random.Random(20261123)  # noqa: S311 - moments, not secrets
    killed = 0
    while killed < 20:
        process = subprocess.Popen(COMMAND, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.05, 1) * took)
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        polls = published_polls(settings)
        assert polls >= before
        before = polls
        check_whole(settings)
    done = subprocess.run(COMMAND, check=False, stdout=subprocess.DEVNULL)

    assert done.returncode in (0, 3)
    assert published_polls(settings) > before
    check_whole(settings)
    print(f"{killed} kills, {published_polls(settings)} polls published, nothing lost")  # noqa: T201
