"""`python -m bench.lake_slopes CATALOG`: how commits and readers of a lake slow down as it grows.

Owns what grows (pairs, rounds of history) and what is timed at each size: a commit of a round, two
reads, care, and the two reads after it. CATALOG is as for bench.lake. Asks no API.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench.history import Market
from bench.lake import CHANGE_RATE, new_lake
from bench.report import machine
from ccpay_io.feeds.poll import utc_now
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.tending import tend
from ccpay_io.store.reader import Reader
from ccpay_io.store.writer import Warehouse

PAIRS = (500, 2000)
ROUNDS = (10, 60)
TURNS = 5
NOW = "SELECT * FROM withdraw_fee_now"
PAIR = "SELECT * FROM withdraw_fee_history WHERE coin_id = 1 AND chain = 'CHAIN00'"


@dataclass(frozen=True)
class Size:
    """Median seconds at one size of a lake.

    Attributes:
        pairs, rounds: the size.
        commit_s: of a round of polls.
        now_s, pair_s: of reading all fees of now, and the history of one pair.
        care_s: of one care.
        cared_now_s, cared_pair_s: of the same reads after it.
    """

    pairs: int
    rounds: int
    commit_s: float
    now_s: float
    pair_s: float
    care_s: float
    cared_now_s: float
    cared_pair_s: float


def sizes(lake: Lake, root: Path, pairs: int, rounds: tuple[int, ...] = ROUNDS) -> Iterator[Size]:
    """Lets a new lake grow to each of these numbers of rounds, and times it there."""
    warehouse, market, reader = (
        Warehouse(root, "bench", lake=lake), Market(pairs, CHANGE_RATE), Reader(lake)
    )  # fmt: skip
    warehouse.commit(market.lists(utc_now()))
    done = 0
    for until in rounds:
        commits = [
            _time(lambda: warehouse.commit(next(market.polls(utc_now(), 1))))
            for _ in range(until - done)
        ]
        done = until
        before = [_median(lambda sql=sql: reader.frame(sql)) for sql in (NOW, PAIR)]
        care = _time(lambda: tend(lake, utc_now()))
        after = [_median(lambda sql=sql: reader.frame(sql)) for sql in (NOW, PAIR)]
        yield Size(pairs, until, statistics.median(commits[-TURNS:]), *before, care, *after)


def _median(act: Callable[[], object]) -> float:
    return statistics.median(_time(act) for _ in range(TURNS))


def _time(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def main() -> None:
    """Prints a line for each size."""
    click.echo("\n".join(machine()))
    for pairs in PAIRS:
        with TemporaryDirectory(prefix="ccpay-bench-") as folder:
            lake = new_lake(sys.argv[1], Path(folder))
            for size in sizes(lake, Path(folder) / "machine", pairs):
                click.echo(
                    f"{size.pairs} pairs, {size.rounds} rounds: commit {size.commit_s:.2f} s,"
                    f" now {size.now_s:.2f}, pair {size.pair_s:.2f}, care {size.care_s:.1f},"
                    f" then now {size.cared_now_s:.2f}, pair {size.cared_pair_s:.2f}"
                )


if __name__ == "__main__":
    main()
