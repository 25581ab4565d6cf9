"""The command as people call it: in this process where that shows the same, else in its own."""

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ccpay_io.feeds.session import open_collector, open_warehouse
from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET
from ccpay_io.sandbox.faults import Faults
from ccpay_io.settings import Settings, load_settings
from pipelines.command.main import SHOWN_LOGS, main

# The tests of this folder share a vocabulary with those of alerts, which importlib mode does not
# put on the path.
ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests" / "ccpay_io" / "alerts")]

from running_up import Up, processes_of  # noqa: E402 - it is on the path only now


@dataclass(frozen=True)
class Ran:
    """What a call of the command came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def ccpay_command(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Calls the command in this process."""

    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        with logging_as_before():
            code = main(arguments)
        printed = capfd.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


@contextmanager
def logging_as_before() -> Iterator[None]:
    """A command sets logging up for its process; here the process goes on to other tests."""
    loggers = [logging.getLogger(name) for name in ("", *SHOWN_LOGS)]
    before = [(each, each.handlers[:], each.level, each.propagate) for each in loggers]
    try:
        yield
    finally:
        for each, handlers, level, propagate in before:
            each.handlers[:] = handlers
            each.setLevel(level)
            each.propagate = propagate


@pytest.fixture
def ccpay_process() -> Callable[..., Ran]:
    """Calls the command in a process of its own, with this test's environment."""

    def run(*arguments: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.command.main", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def filled_folder(api: tuple[str, Faults], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse that every feed has been polled into."""
    folder = tmp_path_factory.mktemp("filled")
    settings = load_settings(
        {
            "CCPAY_BASE_URL": api[0],
            "CCPAY_APP_ID": SANDBOX_APP_ID,
            "CCPAY_APP_SECRET": SANDBOX_APP_SECRET,
            "CCPAY_MAX_RPS": "1000",
            "CCPAY_WAREHOUSE": str(folder),
        },
        cwd=folder,
    )

    async def polls() -> None:
        async with open_collector(settings) as collector:
            for feed in ("chains", "fiats", "coins", "networks", "prices", "fees", "prices"):
                await collector.poll(feed)

    api[1].clear()
    asyncio.run(polls())
    open_warehouse(settings).publish(force=True)
    return folder


@pytest.fixture
def filled(settings: Settings, filled_folder: Path) -> Settings:
    """Settings of a warehouse of its own that every feed has been polled into."""
    shutil.copytree(filled_folder, settings.warehouse)
    return settings


@pytest.fixture
def up(settings: Settings, faults: Faults, tmp_path: Path) -> Iterator[Callable[[], Up]]:
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
