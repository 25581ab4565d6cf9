import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.command.processes import alive
from pipelines.command.supervisor import Supervisor


@pytest.fixture
def said() -> list[str]:
    """What the supervisor told."""
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    """A supervisor that ends with the test."""
    made = Supervisor(tmp_path / "logs", os.environ, said.append)
    yield made
    made.end(patience_s=1)


def tend_until(supervisor: Supervisor, true: Callable[[], bool]) -> None:
    """Lets the supervisor work until something is so."""
    deadline = time.monotonic() + 15
    while not true():
        assert time.monotonic() < deadline
        supervisor.tend()
        time.sleep(0.05)


def test_a_program_that_dies_is_started_again(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    """It is told, with the log to look at, and the log goes on."""
    count = tmp_path / "count"
    code = f"open({str(count)!r}, 'a').write('x'); print('out'); raise SystemExit(7)"
    supervisor.keep("short", [sys.executable, "-c", code])
    tend_until(supervisor, lambda: count.exists() and len(count.read_text("utf-8")) == 2)
    assert "short ended (exit code 7), starts again in 1 s" in said[0]
    assert str(supervisor.log_of("short")) in said[0]
    assert supervisor.log_of("short").read_text("utf-8").count("out") == 2


def test_run_returns_the_exit_code(supervisor: Supervisor) -> None:
    """Of a program that ends by itself."""
    assert supervisor.run([sys.executable, "-c", "raise SystemExit(3)"], lambda: False) == 3


def test_run_ends_when_it_is_told_to(supervisor: Supervisor) -> None:
    """Somebody pressed Ctrl-C in the middle of a first poll."""
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert supervisor.run(sleeps, lambda: True) is None


def test_the_end_leaves_nothing(tmp_path: Path) -> None:
    """Every program that was ever started is gone afterwards."""
    pids = tmp_path / "pids"
    code = f"import os, time; open({str(pids)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(60)"
    supervisor = Supervisor(tmp_path / "logs", os.environ, lambda line: None)
    supervisor.keep("a", [sys.executable, "-c", code])
    supervisor.keep("b", [sys.executable, "-c", code])
    tend_until(supervisor, lambda: pids.exists() and len(pids.read_text("utf-8").split()) == 2)
    supervisor.end(patience_s=5)
    assert not any(alive(int(pid)) for pid in pids.read_text("utf-8").split())


def test_a_log_does_not_grow_without_end(supervisor: Supervisor, tmp_path: Path) -> None:
    """What was written so far is moved aside, once; its writer goes on in the same file."""
    log = supervisor.log_of("loud")
    log.write_bytes(b"x" * (5 * 1024 * 1024 + 1))
    supervisor.tend()
    assert log.stat().st_size == 0
    assert log.with_suffix(".log.1").stat().st_size > 5 * 1024 * 1024
