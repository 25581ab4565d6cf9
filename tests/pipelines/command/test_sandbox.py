import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ccpay_io import sandbox
from ccpay_io.settings import load_settings

ROOT = Path(__file__).parents[3]


def test_it_serves_and_other_commands_find_it(ccpay_command) -> None:
    """In sandbox mode every process talks to the one that runs; its file goes with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.command.main", "sandbox", "--port", "0"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "sandbox" in process.stdout.readline()
        address = process.stdout.readline().strip().removeprefix("CCPAY_BASE_URL=")
        root = load_settings().warehouse
        assert sandbox.locate(root) == address
        done = ccpay_command("watch", "--once")
        assert done.code == 0
        assert "sandbox" in done.err
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert process.returncode == 0
    assert sandbox.locate(root) is None


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_ports_that_do_not_exist(ccpay_command, port: str) -> None:
    """Told as any other bad input."""
    done = ccpay_command("sandbox", f"--port={port}")
    assert done.code == 2
    assert "--port" in done.err


@pytest.mark.parametrize("speed", ["0", "-1", "1e9"])
def test_speeds_that_make_no_sense(ccpay_command, speed: str) -> None:
    """A clock must move forward."""
    assert ccpay_command("sandbox", f"--speed={speed}").code == 2
