"""Many reader processes beside a writer that publishes each second: nobody waits for anybody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

pytestmark = pytest.mark.folder

PAIRS = 200

# Reads until its input ends and once more, with the helper or as a tool that knows the stable name
# alone. Says when it opened, when it had its answer and how many polls it saw. In the n-th poll
# every fee is n, so that half a publication would show.
READER = f"""
import json, random, sys, threading, time
from pathlib import Path
import duckdb
from ccpay_io import Reader

root, way = Path(sys.argv[1]), sys.argv[2]
reader, stable = Reader(root), str(root / "ccpay.duckdb")
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
sql = '''
    SELECT (SELECT count(*) FROM store.poll), count(*), min(fee_amount), max(fee_amount)
    FROM withdraw_fee_now'''
reads, last = [], False
while not last:
    last = ended.is_set()
    opened = time.monotonic()
    if way == "helper":
        with reader.snapshot() as con:
            polls, *seen = con.execute(sql).fetchone()
    else:
        with duckdb.connect(stable, read_only=True) as con:
            polls, *seen = con.execute(sql).fetchone()
    assert seen == [{PAIRS}, polls, polls], (polls, seen)
    reads.append((opened, time.monotonic(), polls))
    if len(reads) == 1:
        print("ready", flush=True)
    time.sleep(random.uniform(0, 0.1))
print(json.dumps(reads))
"""


class Read(NamedTuple):
    """One read of one process: monotonic times, which all processes share, and what it saw."""

    opened: float
    answered: float
    polls: int


class Measured(NamedTuple):
    """What happened while they ran side by side.

    Attributes:
        published: when each publication was complete, the n-th with n polls in it; the first came
            before the readers.
        commits_s: how long each commit with its publication took.
        reads: the reads of each process.
    """

    published: list[float]
    commits_s: list[float]
    reads: list[list[Read]]

    def behind(self) -> list[int]:
        """For each read, the publications that were complete when it opened and that it missed."""
        return [
            max(0, bisect_right(self.published, read.opened) - read.polls)
            for process in self.reads
            for read in process
        ]

    def __str__(self) -> str:
        commits = sorted(self.commits_s[1:])
        took_s = self.published[-1] - self.published[1] + self.commits_s[1]
        reads = sorted(r.answered - r.opened for process in self.reads for r in process)
        return (
            f"{len(commits)} commits with publication in {took_s:.1f} s, {_figures(commits)}; "
            f"{len(reads)} reads by {len(self.reads)} processes, {_figures(reads)}; "
            f"at most {max(self.behind())} publications behind"
        )


def _figures(seconds: list[float]) -> str:
    middle, high = (seconds[int(len(seconds) * part)] * 1000 for part in (0.5, 0.95))
    return f"p50 {middle:.0f} ms, p95 {high:.0f} ms, longest {seconds[-1] * 1000:.0f} ms"


@contextmanager
def _readers(root: Path, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Reader processes, every other one with the helper, all of them reading already."""
    # A file: DuckDB draws a progress bar into the output of what looks like a prompt, as -c does.
    script = root.parent / "reader.py"
    script.write_text(READER)
    with ExitStack() as stack:
        started = []
        for number in range(count):
            process = subprocess.Popen(
                [sys.executable, str(script), str(root), ("helper", "tool")[number % 2]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            started.append(process)
        for process in started:
            assert process.stdout
            assert process.stdout.readline() == "ready\n", process.communicate()[1]
        yield started


def _side_by_side(
    warehouse: Warehouse, poll: Any, fee: Any, *, readers: int, seconds: float
) -> Measured:
    """A commit with publication each second beside the readers; no error on either side."""
    measured = Measured([], [], [])

    def write() -> None:
        began, number = time.monotonic(), len(measured.published) + 1
        rows = {(coin, "ETH"): fee(str(number)) for coin in range(PAIRS)}
        (committed,) = warehouse.commit([poll(number, rows)])
        assert committed.new
        warehouse.publish(force=True)
        measured.published.append(time.monotonic())
        measured.commits_s.append(measured.published[-1] - began)

    write()
    with _readers(warehouse.root, readers) as processes:
        ends = time.monotonic() + seconds
        while (now := time.monotonic()) < ends:
            write()
            time.sleep(max(0.0, now + 1 - time.monotonic()))
        for process in processes:
            out, err = process.communicate(timeout=60)
            assert (process.returncode, err) == (0, "")
            measured.reads.append([Read(*read) for read in json.loads(out)])
    return measured


def _check(warehouse: Warehouse, measured: Measured) -> None:
    """Every commit landed and was seen, and no read was older than one publication."""
    with warehouse.transaction() as con:
        landed = con.execute("SELECT count(*) FROM store.poll").fetchall()
    assert landed == [(len(measured.published),)]
    assert [finding for finding in verify(warehouse) if not finding.ok] == []
    assert max(measured.behind()) <= 1
    for process in measured.reads:
        polls = [read.polls for read in process]
        assert polls == sorted(polls)
        assert polls[-1] == len(measured.published)


@pytest.mark.slow
def test_two_readers_see_every_publication(warehouse: Warehouse, poll: Any, fee: Any) -> None:
    """Three seconds of the test below: one reader with the helper, one with the stable name."""
    measured = _side_by_side(warehouse, poll, fee, readers=2, seconds=3)

    _check(warehouse, measured)


@pytest.mark.torture
@pytest.mark.timeout(240)
def test_eight_readers_and_a_writer_for_a_minute(warehouse: Warehouse, poll: Any, fee: Any) -> None:
    """Eight processes in a loop, a commit each second, each published: no error on either side."""
    measured = _side_by_side(warehouse, poll, fee, readers=8, seconds=60)

    print(measured)  # noqa: T201
    _check(warehouse, measured)
