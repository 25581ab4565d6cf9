"""Writes one history twice, into a warehouse and into plain rows, a day in a transaction.

Owns the order of writing, the stop watch and the sizes at the end of each day. Months are sealed
when they are due, as the schedule does it. The rows are left in Parquet files too, for chdb. Called
by run.py.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bench.history import EVERY_S, Market
from bench.plain import PlainRows
from bench.rows import TABLES, rows_of
from bench.sizes import last_sealed_month, used_bytes
from ccpay_io.feeds.poll import Poll
from ccpay_io.store.sealing import seal
from ccpay_io.store.writer import Warehouse

DAY = 86_400 // EVERY_S


@dataclass(frozen=True)
class Hot:
    """The hot file at the end of a day: observations that it holds, its bytes, those in use."""

    observations: int
    size: int
    used: int


@dataclass
class Written:
    """What writing in whole days has cost so far.

    Attributes:
        polls: five-minute rounds.
        months: month -> observations (fees, prices and rates).
        hot: the hot file at the end of each day, before anything is sealed.
        invent_s, store_s, seal_s, plain_s: seconds for making polls and for writing them.
    """

    polls: int = 0
    months: Counter[str] = field(default_factory=Counter)
    hot: list[Hot] = field(default_factory=list)
    invent_s: float = 0.0
    store_s: float = 0.0
    seal_s: float = 0.0
    plain_s: float = 0.0

    @property
    def observations(self) -> int:
        """Of all months."""
        return self.months.total()

    @property
    def fullest(self) -> Hot:
        """The hot file when it held most."""
        return max(self.hot, key=lambda hot: hot.observations)


class Writing:
    """The files of one run, and how far they have got.

    Args:
        market: makes the polls.
        warehouse, plain: where they go.
        files: a folder for the rows in Parquet.
    """

    def __init__(self, market: Market, warehouse: Warehouse, plain: PlainRows, files: Path) -> None:
        self.written = Written()
        self._market = market
        self._warehouse = warehouse
        self._plain = plain
        self._files = files

    def days(self, first: datetime, polls: int, progress: Callable[[str], None]) -> None:
        """Writes so many five-minute rounds, the first at `first`."""
        written = self.written
        lists = self._market.lists(first)
        for at, count in _batches(first, polls):
            started = time.perf_counter()
            rounds = self._market.polls(at, count)
            batch = [*lists, *(poll for polls in rounds for poll in polls)]
            written.invent_s += time.perf_counter() - started
            written.store_s += seconds(lambda batch=batch: self._warehouse.commit(batch))
            # The pipeline publishes after each fee poll; that also drops what was deleted.
            self._warehouse.publish(force=True)
            self.plain(batch)
            written.polls += count
            written.hot.append(self._hot())
            until = at + timedelta(seconds=EVERY_S * count)
            written.seal_s += seconds(lambda until=until: seal(self._warehouse, until))
            lists = []
            progress(
                f"{written.polls:>6} of {polls} polls, {written.observations:,} observations, "
                f"ms per poll: store {1000 * written.store_s / written.polls:.1f}, "
                f"plain {1000 * written.plain_s / written.polls:.1f}"
            )

    def plain(self, polls: list[Poll]) -> float:
        """Appends the rows of these polls to the plain side; seconds."""
        for poll in polls:
            rows = sum(poll.answers[name].frame.height for name in TABLES if name in poll.answers)
            self.written.months[poll.observed_at.strftime("%Y-%m")] += rows
        frames = rows_of(polls, self._market.symbols)
        for table, frame in frames.items():
            frame.write_parquet(self._files / f"{table}-{polls[0].poll_id}.parquet")
        took = seconds(lambda: self._plain.append(frames))
        self.written.plain_s += took
        return took

    def sealed_observations(self) -> int:
        """Observations of the months that are sealed by now."""
        last = last_sealed_month(self._warehouse.root) or ""
        return sum(count for month, count in self.written.months.items() if month <= last)

    def _hot(self) -> Hot:
        path = self._warehouse.private
        observations = self.written.observations - self.sealed_observations()
        return Hot(observations, path.stat().st_size, used_bytes(path))


def seconds(work: Callable[[], object]) -> float:
    """How long this takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _batches(first: datetime, polls: int) -> Iterator[tuple[datetime, int]]:
    for done in range(0, polls, DAY):
        yield first + timedelta(seconds=EVERY_S * done), min(DAY, polls - done)
