"""The whole thing, with a real daemon: what `make run` starts, and that it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ccpay_io.errors import NothingPublished
from ccpay_io.sandbox.faults import Faults
from ccpay_io.settings import Settings
from ccpay_io.store.reading import connect_published

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_of(folder: Path) -> dict[int, str]:
    """Processes that belong to this test's warehouse, by what their environment says."""
    mark = f"CCPAY_WAREHOUSE={folder}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes()
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        # A zombie has no command line, and is nobody's burden once its parent is gone.
        if mark in environment.split(b"\0") and line:
            found[int(entry.name)] = line.replace(b"\0", b" ").decode()
    return found


def wait_for(what: Callable[[], bool], seconds: float, why: Callable[[], str]) -> None:
    """Waits until it is so, or fails with the log."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, why()
        time.sleep(0.2)


@pytest.fixture
def up(settings: Settings, faults: Faults, tmp_path: Path) -> Iterator[Callable[[], "Up"]]:
    """Starts `ccpay up`; whatever happens, nothing is left after the test."""
    started: list[Up] = []

    def start() -> Up:
        started.append(Up(tmp_path / f"up{len(started)}.log", settings))
        return started[-1]

    yield start
    for pid in processes_of(settings.warehouse):
        os.kill(pid, signal.SIGKILL)
    for each in started:
        each.process.wait()


class Up:
    """A running `ccpay up`, started as shells without job control do: deaf to SIGINT."""

    def __init__(self, log: Path, settings: Settings) -> None:
        self.log = log
        self.settings = settings
        command = f"{sys.executable} -m pipelines.command.main up --port {free_port()}"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", f"trap '' INT; exec {command}"],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def text(self) -> str:
        """What it printed so far, and what its programs logged."""
        logs = sorted((self.settings.warehouse / "logs").glob("*.log"))
        return "\n".join(path.read_text("utf-8", "replace") for path in [self.log, *logs])

    def polls(self, feed: str) -> int:
        """How many polls of a feed the published ledger has."""
        try:
            with connect_published(self.settings.warehouse) as con:
                query = "SELECT count(*) FROM store.poll WHERE feed = ? AND outcome = 'ok'"
                return int(con.execute(query, [feed]).fetchone()[0])
        except NothingPublished:
            return 0


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_it_polls_watches_alerts_and_ends_whole(
    up: Callable[[], Up], faults: Faults, settings: Settings, tmp_path: Path
) -> None:
    """From nothing to an alert through the real daemon; Ctrl-C ends all of it within 10 s."""
    quick = "[feeds]\nwatch_s = 10\n[alerts]\nconfirm_after_s = 1\n"
    (tmp_path / "ccpay.toml").write_text(quick, "utf-8")
    running = up()
    wait_for(lambda: "ccpay route USDT 500" in running.text, 80, lambda: running.text)
    assert "first poll" in running.text
    assert running.polls("fees") == 1
    faults.statuses["TRX"] = "Maintenance"

    wait_for(lambda: "TRX is in maintenance" in running.text, 75, lambda: running.text)

    wait_for(lambda: "Dagster is up" in running.text, 80, lambda: running.text)
    assert running.polls("chains") > 1
    assert settings.credentials.app_secret.reveal() not in running.text
    begun = time.monotonic()
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=20) == 0
    assert time.monotonic() - begun < 10
    assert processes_of(settings.warehouse) == {}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_kill_9_leaves_no_process_and_no_lock(up: Callable[[], Up], filled: Settings) -> None:
    """A killed `up` takes its programs with it; a second one refuses only while the first runs."""
    first = up()
    wait_for(lambda: "first poll" in first.text, 30, lambda: first.text)
    second = up()
    assert second.process.wait(timeout=20) == 1
    assert "running already" in second.log.read_text("utf-8")
    # The last program to be started; that it serves is another test's.
    wait_for(
        lambda: any(
            "dagster_webserver" in line for line in processes_of(filled.warehouse).values()
        ),
        80,
        lambda: first.text,
    )
    assert "recent enough" in first.text

    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    wait_for(
        lambda: not processes_of(filled.warehouse), 12, lambda: str(processes_of(filled.warehouse))
    )


def test_a_port_in_use_is_told_before_anything_starts(ccpay_command, settings: Settings) -> None:
    """One line with the way out; nothing was polled."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = ccpay_command("up", "--port", str(taken.getsockname()[1]))
    assert done.code == 2
    assert "--port" in done.err
    assert not (settings.warehouse / "private").exists()
