import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from ccpay_io.feeds.session import open_collector, open_warehouse
from ccpay_io.sandbox.faults import Faults
from ccpay_io.settings import Settings
from ccpay_io.store import folder
from pipelines.command.watch import _keep_looking

ROOT = Path(__file__).parents[3]


def test_once_looks_and_delivers(ccpay_command, settings: Settings, faults: Faults) -> None:
    """Two looks confirm a maintenance; the second delivers it to the log."""
    ccpay_command("watch", "--once")
    ccpay_command("watch", "--once")
    faults.statuses["TRX"] = "Maintenance"
    ccpay_command("watch", "--once")
    done = ccpay_command("watch", "--once")
    assert done.code == 0
    assert "198 chains" in done.out
    assert "TRX is in maintenance" in (settings.warehouse / "alerts.log").read_text("utf-8")


def test_once_without_an_answer_exits_1(ccpay_command, settings: Settings, faults: Faults) -> None:
    """A cron job can tell that the API gave no answer."""
    faults.add("status:502", "getChainList")
    done = ccpay_command("watch", "--once")
    assert done.code == 1
    assert "HTTP 502" in done.out


def test_a_cycle_that_was_stored_is_a_sign_of_life(
    life_signs: list[str], ccpay_command, settings: Settings, faults: Faults
) -> None:
    """Also without an answer of the API, which has an alert of its own; and it is not shown."""
    faults.add("status:502", "getChainList")
    done = ccpay_command("watch", "--once", "--debug")
    assert life_signs == ["/token-of-life"]
    assert "token-of-life" not in done.out + done.err


def test_a_cycle_that_could_not_be_stored_is_none(
    life_signs: list[str], ccpay_command, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else holds the file for ever: the service must notice."""
    monkeypatch.setattr(folder, "LOCK_TIMEOUT_S", 0.2)
    other = FileLock(open_warehouse(settings).private.parent / "writer.lock")
    Path(other.lock_file).parent.mkdir(parents=True)
    with other:
        assert ccpay_command("watch", "--once").code == 1
    assert life_signs == []


def test_a_locked_warehouse_costs_one_look_only(
    settings: Settings, faults: Faults, capfd: pytest.CaptureFixture[str]
) -> None:
    """A round that another writer kept waiting is one line; the next round goes on."""
    brisk = settings.feeds.model_copy(update={"watch_s": 0.2})
    hasty = dataclasses.replace(settings, feeds=brisk)
    lines: list[str] = []

    async def watch() -> None:
        async with open_collector(hasty) as collector:
            looking = asyncio.create_task(_keep_looking(collector, hasty))
            while not looking.done() and not any("198 chains" in line for line in lines):
                await asyncio.sleep(0.1)
                lines.extend(capfd.readouterr().out.splitlines())
                if lines:
                    other.release()
            looking.cancel()

    other = FileLock(open_warehouse(hasty).private.parent / "writer.lock")
    other_folder = Path(other.lock_file).parent
    other_folder.mkdir(parents=True)
    patient, folder.LOCK_TIMEOUT_S = folder.LOCK_TIMEOUT_S, 0.3
    try:
        with other:
            asyncio.run(watch())
    finally:
        folder.LOCK_TIMEOUT_S = patient
    assert "another writer has held" in lines[0]
    assert "198 chains" in lines[-1]


def test_it_runs_until_told_to_stop(settings: Settings, faults: Faults) -> None:
    """Also where a shell started it with SIGINT ignored; it ends at once and with 0."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"trap '' INT; exec {sys.executable} -m pipelines.command.main watch"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "198 chains" in process.stdout.readline()
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert time.monotonic() - begun < 10
