import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.command.processes import Guardian, alive, end_groups, start

ROOT = Path(__file__).parents[3]
# A program with a child of its own, which does not listen to SIGTERM.
STUBBORN = (
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print('ready', flush=True); time.sleep(60)"
)


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def started(code: str, tmp_path: Path) -> subprocess.Popen[bytes]:
    """A program in a group of its own, when it says that it is ready."""
    log = tmp_path / "out"
    with log.open("wb") as output:
        process = start([sys.executable, "-c", code], os.environ, output)
    assert wait_until(lambda: b"ready" in log.read_bytes())
    return process


def test_a_group_ends_whole(tmp_path: Path) -> None:
    """A program that ignores SIGTERM, and its child, are gone when the patience is over."""
    process = started(STUBBORN, tmp_path)
    begun = time.monotonic()
    end_groups([process.pid], patience_s=0.5, collect=process.poll)
    process.wait()
    assert wait_until(lambda: not alive(process.pid))
    assert time.monotonic() - begun < 5


def test_a_group_that_is_gone_is_no_error() -> None:
    """Programs may end by themselves at any moment."""
    process = start([sys.executable, "-c", ""], os.environ, None)
    process.wait()
    end_groups([process.pid])
    assert not alive(process.pid)


def test_the_guardian_ends_what_a_killed_process_leaves(tmp_path: Path) -> None:
    """Kill -9 of the process that started them: its programs end all the same."""
    code = (
        "import os, sys, time\n"
        "from pipelines.command.processes import Guardian, start\n"
        "guardian = Guardian()\n"
        "child = start([sys.executable, '-c', 'import time; time.sleep(60)'], os.environ, None)\n"
        "guardian.watch(child.pid)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert wait_until(lambda: not alive(child))


def test_the_guardian_leaves_alone_what_it_was_told_to_forget() -> None:
    """A number that was given back may belong to somebody else by now."""
    process = start([sys.executable, "-c", "import time; time.sleep(60)"], os.environ, None)
    guardian = Guardian()
    guardian.watch(process.pid)
    guardian.forget(process.pid)
    guardian.close()
    assert process.poll() is None
    end_groups([process.pid], collect=process.poll)
    process.wait(timeout=10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_programs_listen_to_signals_again(number: signal.Signals, tmp_path: Path) -> None:
    """What this process handles is back to its default in what it starts."""
    before = signal.signal(number, lambda *_: None)
    try:
        process = started("import time; print('ready', flush=True); time.sleep(60)", tmp_path)
        process.send_signal(number)
        assert process.wait(timeout=10) != 0
    finally:
        signal.signal(number, before)
