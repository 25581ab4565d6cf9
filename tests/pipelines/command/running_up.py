"""A running `ccpay up`, and the processes that belong to it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ccpay_io.errors import NothingPublished
from ccpay_io.settings import Settings
from ccpay_io.store.reading import connect_published

ROOT = Path(__file__).parents[3]


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


class Up:
    """A running `ccpay up`, started as shells without job control do: deaf to SIGINT."""

    def __init__(self, log: Path, settings: Settings) -> None:
        self.log = log
        self.settings = settings
        self.board_port = free_port()
        command = f"{sys.executable} -m pipelines.command.main up --port {free_port()}"
        command += f" --board-port {self.board_port}"
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
