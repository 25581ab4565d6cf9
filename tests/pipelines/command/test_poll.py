import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ccpay_io.feeds.session import open_warehouse
from ccpay_io.sandbox.faults import Faults
from ccpay_io.settings import Settings, load_settings
from ccpay_io.store.datasets import FEEDS
from ccpay_io.store.publication import newest_version
from ccpay_io.store.reading import connect_published
from pipelines.command.polling import poll_feeds


def test_all_feeds_in_order_and_runs_in_the_ui(ccpay_process, settings: Settings) -> None:
    """Every feed is polled once, and the summary has a line for each; no secret anywhere."""
    done = ccpay_process("poll", "all")
    lines = done.out.splitlines()
    assert done.code in (0, 3), done.err
    assert [line.split()[0] for line in lines[1:]] == list(FEEDS)
    assert [line.split()[1] for line in lines[1:]] == ["ok"] * 6 + ["skipped"]
    assert settings.credentials.app_secret.reveal() not in done.out + done.err
    with connect_published(settings.warehouse) as con:
        (pairs,) = con.execute("SELECT count(*) FROM withdraw_fee_now").fetchone()
    assert pairs > 12
    assert (settings.dagster_home / "history" / "runs.db").exists()


def test_every_failure_is_exit_1(ccpay_command, settings: Settings, faults: Faults) -> None:
    """All attempted feeds failed: nothing but the attempts is stored, and the reason is shown."""
    faults.add("code:11005")
    done = ccpay_command("poll", "chains", "fiats")
    assert done.code == 1
    assert done.out.count("11005 VerifySignFailed") == 2


def test_one_failure_does_not_stop_the_rest(
    ccpay_command, settings: Settings, faults: Faults
) -> None:
    """A feed that failed leaves the others alone; the exit code says that not all is well."""
    faults.add("code:10001", "getChainList")
    done = ccpay_command("poll", "chains", "fiats")
    outcomes = {line.split()[0]: line.split()[1] for line in done.out.splitlines()[1:]}
    assert done.code == 3
    assert outcomes == {"chains": "failed", "fiats": "ok"}


def test_lists_without_trouble_are_exit_0(ccpay_command, settings: Settings) -> None:
    """All ok: exit 0."""
    done = ccpay_command("poll", "chains", "fiats")
    assert done.code == 0


def test_what_it_brought_is_published_at_its_end(ccpay_command, settings: Settings) -> None:
    """`ccpay query` after `ccpay poll` shows the new poll, however young the last publication."""
    for feed in ("chains", "fiats"):
        assert ccpay_command("poll", feed).code == 0
        with connect_published(settings.warehouse) as con:
            ((last,),) = con.execute("SELECT max_by(feed, poll_id) FROM store.poll").fetchall()
        assert last == feed


def test_a_poll_that_stored_nothing_new_publishes_nothing(
    settings: Settings, filled: Settings
) -> None:
    """What is recent enough was published by whoever polled it, or will be."""
    before = newest_version(filled.warehouse)
    assert poll_feeds(filled, ["chains", "fiats"], reuse=True) == 0
    assert newest_version(filled.warehouse) == before


@pytest.mark.parametrize("file", ["private/warehouse.duckdb", "limits.sqlite"])
def test_a_file_that_cannot_be_used_is_a_clear_line(
    ccpay_command, settings: Settings, filled: Settings, file: str
) -> None:
    """Out of a sweep with many requests at once too: which file, and no traceback."""
    (filled.warehouse / file).write_bytes(b"not a database" * 1000)
    for leftover in filled.warehouse.glob("limits.sqlite-*"):
        leftover.unlink()
    done = ccpay_command("poll", "fees")
    assert done.code == 1
    assert file.partition("/")[0] in done.out + done.err or str(filled.warehouse) in done.out
    assert "Traceback" not in done.out + done.err


def test_ctrl_c_ends_the_command_and_keeps_what_was_committed(
    settings: Settings, faults: Faults
) -> None:
    """Not only the feed under way: no further one is begun, and what is there can be queried."""
    faults.add("slow:60", "getFiatList")
    feeds = ("chains", "fiats", "coins")
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.command.main", "poll", *feeds],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not faults.requests["getFiatList"] and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told.splitlines() == ["ccpay: interrupted; what was committed is kept"]
    assert faults.requests["getSwapCoinList"] == 0
    with connect_published(settings.warehouse) as con:
        assert con.execute("SELECT feed, outcome FROM store.poll").fetchall() == [("chains", "ok")]


def test_a_warehouse_of_another_environment_exits_2(
    ccpay_command, filled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live data of one host is never mixed with that of another."""
    monkeypatch.setenv("CCPAY_BASE_URL", "http://127.0.0.1:9/ccpayment/v2")
    done = ccpay_command("poll", "chains", "fiats")
    assert done.code == 2
    assert done.err.splitlines()[0].startswith("ccpay: ")
    assert load_settings().stamp in done.err


def test_two_at_the_same_moment_both_end_well(ccpay_process, settings: Settings) -> None:
    """On a new machine too: both poll, both are in the ledger, and neither trips over the other."""
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(ccpay_process, "poll", "chains", "fiats") for _ in range(2)]
        both = [call.result() for call in calls]
    assert [done.code for done in both] == [0, 0], both
    with open_warehouse(settings).transaction() as con:
        (polls,) = con.execute("SELECT count(*) FROM store.poll WHERE outcome = 'ok'").fetchone()
    assert polls == 4
