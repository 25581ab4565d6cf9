"""Writes the same history twice, into a warehouse and into plain rows, and measures both.

Owns the order of writing and the stop watch: first batches of whole polls through
`Warehouse.commit` until the history is there, with the size half-way and at the end (the slope
between the two is what an observation costs once the empty tables are paid for); then polls
committed and published one by one, as the pipeline does it. Called by __main__.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb

from bench.history import Market
from bench.plain import PlainRows
from ccpay_io.feeds.poll import Poll
from ccpay_io.store.writer import Warehouse

# A quarter of a day of polls in one transaction.
BATCH = 72
SINGLES = 24


@dataclass(frozen=True)
class Size:
    """Sizes at one moment: what has been stored and the bytes that hold it.

    Attributes:
        observations: answers so far: fees, prices and rates.
        store, plain: bytes of the two files.
        store_used, plain_used: bytes of the blocks in use; a file keeps its free blocks.
    """

    observations: int
    store: int
    plain: int
    store_used: int
    plain_used: int


@dataclass(frozen=True)
class Written:
    """What writing cost, in bytes and seconds.

    Attributes:
        half, end: sizes during and after the batches.
        store_batch_s, plain_batch_s: seconds for all batches.
        polls: five-minute polls written in batches.
        after: sizes after the single commits.
        store_commit_s, plain_commit_s: each fee poll written alone: open, write, commit, close.
        publish_s: each publication after such a commit.
        plain_copy_s: copying the plain file and flushing it, for comparison.
    """

    half: Size
    end: Size
    after: Size
    polls: int
    store_batch_s: float
    plain_batch_s: float
    store_commit_s: list[float]
    plain_commit_s: list[float]
    publish_s: list[float]
    plain_copy_s: float


class Writing:
    """The two files of one run, and how far they have got."""

    def __init__(self, warehouse: Warehouse, plain: PlainRows) -> None:
        self._warehouse = warehouse
        self._plain = plain
        self._observations = 0

    def run(self, market: Market, polls: int, progress: Callable[[str], None]) -> Written:
        """Writes `polls` five-minute polls; the last ones each on their own."""
        source = market.polls(polls)
        batched = polls - SINGLES
        store_s = plain_s = 0.0
        half = None
        done = 0
        while batch := list(islice(source, min(BATCH, batched - done))):
            done += len(batch)
            flat = [poll for group in batch for poll in group]
            store_s += _seconds(lambda flat=flat: self._warehouse.commit(flat))
            plain_s += self._append_plain(flat)
            progress(f"{done:>6} of {polls} polls, {self._observations:,} observations")
            if half is None and 2 * done >= batched:
                half = self.size()
        end = self.size()
        store_each, plain_each, publish_each = self._one_by_one(source)
        return Written(
            half=half or end,
            end=end,
            after=self.size(),
            polls=batched,
            store_batch_s=store_s,
            plain_batch_s=plain_s,
            store_commit_s=store_each,
            plain_commit_s=plain_each,
            publish_s=publish_each,
            plain_copy_s=_seconds(lambda: _copy_and_flush(self._plain.path)),
        )

    def size(self) -> Size:
        """Sizes as of now."""
        store, plain = self._warehouse.private, self._plain.path
        return Size(
            self._observations,
            store.stat().st_size,
            plain.stat().st_size,
            _used_bytes(store),
            _used_bytes(plain),
        )

    def _append_plain(self, polls: list[Poll]) -> float:
        started = time.perf_counter()
        self._observations += self._plain.append(polls)
        return time.perf_counter() - started

    def _one_by_one(
        self, source: Iterator[list[Poll]]
    ) -> tuple[list[float], list[float], list[float]]:
        store, plain, publish = [], [], []
        for *others, fees in source:
            self._warehouse.commit(others)
            self._append_plain(others)
            store.append(_seconds(lambda fees=fees: self._warehouse.commit([fees])))
            plain.append(self._append_plain([fees]))
            publish.append(_seconds(lambda: self._warehouse.publish(force=True)))
        return store, plain, publish


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _used_bytes(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as con:
        block, used = con.execute(
            "SELECT block_size, used_blocks FROM pragma_database_size()"
        ).fetchall()[0]
    return int(block * used)


def _copy_and_flush(path: Path) -> None:
    copy = path.with_suffix(".copy")
    with path.open("rb") as source, copy.open("wb") as target:
        while chunk := source.read(1 << 20):
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    copy.unlink()
