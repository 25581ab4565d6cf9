"""The last hour of a history, poll by poll with the default settings, and what that costs.

Owns the calendar of that hour: the chain watch every 30 seconds, prices and fees every five minutes
with a publication after each, fiat rates every fifteen, the lists once, raw answers of everything.
Measures seconds and written bytes of the store, and beside each fee poll the plain rows and dlt.
Called by run.py.
"""

from __future__ import annotations

import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bench.by_dlt import DltFiles
from bench.history import EVERY_S, Market
from bench.raw_answers import with_raw
from bench.rows import rows_of
from bench.sizes import written_bytes
from bench.writing import Writing, seconds
from ccpay_io.feeds.poll import Poll
from ccpay_io.store.durable import fsync_path
from ccpay_io.store.writer import Warehouse

ROUNDS = 12
# Rounds before them: a publication costs what it does for good once it follows others, as it then
# writes over one that has had its time.
WARM_UP = 5
WATCH_S = 30


@dataclass
class Hour:
    """What an hour costs.

    Attributes:
        commit_s: feed -> seconds of each commit: open, write, commit, close.
        publish_s: seconds of each publication.
        plain_s, plain_copy_s: each fee poll in plain rows; copying and flushing their file once.
        dlt_s: form -> seconds of each fee poll, but for the first, which makes the tables; empty
            without dlt.
        written: "raw", "commits" and "publications" -> bytes written; empty where the system does
            not say.
        raw_bytes: size of all raw files of the hour.
    """

    commit_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    publish_s: list[float] = field(default_factory=list)
    plain_s: list[float] = field(default_factory=list)
    plain_copy_s: float = 0.0
    dlt_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    written: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    raw_bytes: int = 0

    @property
    def fee_poll_s(self) -> float:
        """A fee poll alone."""
        return statistics.median(self.commit_s["fees"])

    @property
    def dlt_poll_s(self) -> float | None:
        """The same rows by dlt, in the quicker of its forms."""
        return min((statistics.median(each) for each in self.dlt_s.values()), default=None)


class LiveHour:
    """An hour in progress.

    Args:
        market: makes the polls.
        warehouse: where they go.
        writing: for the plain side.
        dlt: writes the fee polls too; None without dlt.
    """

    def __init__(
        self, market: Market, warehouse: Warehouse, writing: Writing, dlt: DltFiles | None
    ) -> None:
        self.cost = Hour()
        self._market = market
        self._warehouse = warehouse
        self._writing = writing
        self._dlt = dlt
        self._ids = random.Random(2)  # noqa: S311 - invented ids are no secret
        self._is_counting = False

    def run(self, first: datetime, rounds: int, progress: Callable[[str], None]) -> Hour:
        """Polls so many times five minutes, the first at `first`; the last twelve are the hour."""
        cost = self.cost
        for number, polls in enumerate(self._market.polls(first, rounds)):
            at = first + timedelta(seconds=EVERY_S * number)
            if number == max(0, rounds - ROUNDS):
                self._is_counting = True
                self._commit([poll for poll in self._market.lists(at) if poll.feed != "chains"])
            self._commit(list(self._watch(at)))
            self._commit(polls)
            with self._counted("publications"):
                cost.publish_s.append(seconds(lambda: self._warehouse.publish(force=True)))
            *others, fees = polls
            self._writing.plain(others)
            cost.plain_s.append(self._writing.plain([fees]))
            self._load(fees, count=number > 0)
        ms = {feed: 1000 * statistics.median(each) for feed, each in cost.commit_s.items()}
        progress("  poll by poll, ms: " + ", ".join(f"{feed} {x:.0f}" for feed, x in ms.items()))
        return cost

    def _watch(self, at: datetime) -> Iterator[Poll]:
        for seconds_before in range(EVERY_S - WATCH_S, -1, -WATCH_S):
            # Between the other polls of a round, never at the moment of one.
            yield self._market.watch(at - timedelta(seconds=seconds_before + 5), WATCH_S)

    def _commit(self, polls: list[Poll]) -> None:
        for poll in polls:
            with self._counted("raw"):
                kept = with_raw(self._warehouse.root, poll, self._ids)
            if self._is_counting and kept.raw:
                self.cost.raw_bytes += kept.raw.size
            with self._counted("commits"):
                took = seconds(lambda kept=kept: self._warehouse.commit([kept]))
            self.cost.commit_s[poll.feed].append(took)

    def _load(self, fees: Poll, *, count: bool) -> None:
        if self._dlt is None:
            return
        took = self._dlt.append(rows_of([fees], self._market.symbols)["fee"])
        for form in took if count else ():
            self.cost.dlt_s[form].append(took[form])

    @contextmanager
    def _counted(self, what: str) -> Iterator[None]:
        """Adds the bytes that are written within the `with`, once the hour has begun."""
        before = written_bytes()
        yield
        after = written_bytes()
        if self._is_counting and before is not None and after is not None:
            self.cost.written[what] += after - before


def copy_and_flush(path: Path) -> float:
    """Seconds to copy a file and flush the copy, which is deleted again."""
    copy = path.with_suffix(".copy")
    started = time.perf_counter()
    with path.open("rb") as source, copy.open("wb") as target:
        while chunk := source.read(1 << 20):
            target.write(chunk)
    fsync_path(copy)
    took = time.perf_counter() - started
    copy.unlink()
    return took
