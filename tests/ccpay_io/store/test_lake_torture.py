"""A lake under load and under kill -9: nothing is lost or half there, and nobody sees an error."""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from lakes import Lakes

import ccpay_io
from ccpay_io.feeds.poll import Answers, Poll, poll_id_at
from ccpay_io.store.datasets import DATASETS
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.connection import forget
from ccpay_io.store.lake.tending import tend
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

pytestmark = [pytest.mark.torture, pytest.mark.timeout(600)]

SPAWN = multiprocessing.get_context("spawn")
PAIRS = 200
SECONDS = 120.0
STORED = "SELECT poll_id FROM store.poll ORDER BY poll_id"


def fee_poll(writer: str) -> Poll:
    """A sweep of all pairs, at this moment, a third of whose fees differ from the last."""
    now = datetime.now(UTC)
    spec = DATASETS["withdraw_fee"]
    rows = [
        {
            "coin_id": pair,
            "chain": "ETH",
            "state": "ok",
            "fee_amount": Decimal(random.randint(1, 2 if pair % 3 else 1)),  # noqa: S311
            "fee_coin_id": pair,
            "fee_coin": "X",
        }
        for pair in range(PAIRS)
    ]
    return Poll(
        poll_id=poll_id_at(now),
        feed="fees",
        outcome="ok",
        started_at=now,
        observed_at=now + timedelta(milliseconds=1),
        requests=PAIRS,
        answers={"withdraw_fee": Answers(spec.frame(rows))},
        writer=writer,
        cadence_s=300,
        listed=PAIRS,
    )


class Repeats(logging.Handler):
    """Counts the transactions that were done again."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


def write(lake: Lake, root: Path, seconds: float) -> tuple[list[float], int]:
    """Commits polls for so long; how long each took, and how many were done again."""
    warehouse, repeats = Warehouse(root, "test", lake=lake), Repeats()
    logging.getLogger("ccpay.lake").addHandler(repeats)
    took, ends = [], time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.monotonic()
        (committed,) = warehouse.commit([fee_poll(str(os.getpid()))])
        assert committed.new
        took.append(time.monotonic() - began)
    return took, repeats.count


def read(lake: Lake, seconds: float) -> list[float]:
    """Reads for so long; how long each took. Every snapshot is whole."""
    reader, took, ends = ccpay_io.Reader(lake), [], time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.monotonic()
        assert reader.frame("SELECT * FROM withdraw_fee_now").height in (0, PAIRS)
        took.append(time.monotonic() - began)
    return took


def write_until_killed(lake: Lake, root: Path) -> None:
    """Commits polls and notes each one, on disk, once it is committed."""
    warehouse = Warehouse(root, "test", lake=lake)
    with (root / "acked").open("a") as acked:
        while True:
            (committed,) = warehouse.commit([fee_poll(str(os.getpid()))])
            acked.write(f"{committed.poll_id}\n")
            acked.flush()
            os.fsync(acked.fileno())


def wrong(warehouse: Warehouse) -> list[str]:
    """The promises that do not hold."""
    return [finding.what for finding in verify(warehouse) if not finding.ok]


def test_four_writers_and_four_readers(lakes: Lakes, tmp_path: Path) -> None:
    """Two minutes without an error or a conflict; every poll that was committed is there, once."""
    lake = lakes.empty(tmp_path / "lake")
    with ProcessPoolExecutor(8, SPAWN) as processes:
        writers = [processes.submit(write, lake, tmp_path, SECONDS) for _ in range(4)]
        readers = [processes.submit(read, lake, SECONDS) for _ in range(4)]
        wrote = sorted(took for each in writers for took in each.result()[0])
        seen = sorted(took for each in readers for took in each.result())

    assert len(ccpay_io.Reader(lake).frame(STORED)) == len(wrote)
    assert wrong(Warehouse(tmp_path, "test", lake=lake)) == []
    # In turns there is nothing to conflict with.
    assert [each.result()[1] for each in writers] == [0] * 4
    print(  # noqa: T201 - figures for docs/scaling.md
        f"{len(wrote)} polls, median {wrote[len(wrote) // 2]:.2f} s, longest {wrote[-1]:.2f} s;"
        f" {len(seen)} reads, median {seen[len(seen) // 2]:.2f} s"
    )
    forget(lake, read_only=True)
    forget(lake, read_only=False)


def test_a_writer_that_is_killed_loses_nothing(lakes: Lakes, tmp_path: Path) -> None:
    """Twenty kills: each acknowledged poll is whole, orphans are deleted, the next one writes."""
    lake = lakes.empty(tmp_path / "lake")
    (tmp_path / "acked").touch()
    for _ in range(20):
        before = (tmp_path / "acked").stat().st_size
        process = SPAWN.Process(target=write_until_killed, args=(lake, tmp_path))
        process.start()
        while (tmp_path / "acked").stat().st_size == before:
            assert process.is_alive()
            time.sleep(0.02)
        time.sleep(random.uniform(0, 1))  # noqa: S311 - any moment of a commit
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join()

    acked = {int(line) for line in (tmp_path / "acked").read_text().split()}
    stored = set(ccpay_io.Reader(lake).frame(STORED)["poll_id"])
    warehouse = Warehouse(tmp_path, "test", lake=lake)
    assert acked <= stored
    assert len(stored - acked) <= 20
    assert wrong(warehouse) == []
    tended = tend(lake, datetime.now(UTC), keep=-timedelta(minutes=1))
    sys.stdout.write(f"{len(acked)} acknowledged, {tended.orphans_deleted} orphans deleted\n")
    assert wrong(warehouse) == []
    forget(lake, read_only=True)
    forget(lake, read_only=False)
