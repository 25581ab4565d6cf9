"""`python -m bench.lake CATALOG`: what lakes on one PostgreSQL take from more and more merchants.

Owns the merchants, each a process that commits rounds of polls without a pause, and the databases
that it makes for them and leaves there, bench_*: one lake for all, then a lake each. Their number
is doubled until that brings less than a tenth more. CATALOG is a connection string of libpq without
a password (that is in PGPASSFILE) whose user may create databases; the files are in TMPDIR. Asks no
API.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import click
import psycopg2
from psycopg2.extensions import make_dsn

from bench.history import Market
from bench.report import machine
from ccpay_io.feeds.poll import utc_now
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.writer import Warehouse

PAIRS, CHANGE_RATE = 500, 0.05
SECONDS = 20.0
# Each merchant is a process of some 200 MB.
MOST = 16
WORTH_IT = 1.1

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Taken:
    """What so many merchants could store.

    Attributes:
        merchants: processes that committed at the same time.
        per_s: rounds a second, of all of them together.
        median_s: seconds that one round took, its turn included.
    """

    merchants: int
    per_s: float
    median_s: float


class _Start:
    """Where the merchants wait for each other; given to each process."""

    barrier: ClassVar[Barrier]

    @classmethod
    def set(cls, barrier: Barrier) -> None:
        """Called once in each process."""
        cls.barrier = barrier


def measure(lakes: Sequence[Lake], folder: Path, seconds: float = SECONDS) -> Taken:
    """Lets one merchant write to each of these lakes, which may be the same one several times."""
    count = len(lakes)
    with ProcessPoolExecutor(
        count, _SPAWN, _Start.set, (_SPAWN.Barrier(count, timeout=300),)
    ) as at:
        merchants = [
            at.submit(_merchant, lake, folder / f"machine-{number}", number, seconds)
            for number, lake in enumerate(lakes)
        ]
        took = [each for merchant in merchants for each in merchant.result()]
    return Taken(count, len(took) / seconds, statistics.median(took))


def growing(
    catalog: str, folder: Path, *, apart: bool, seconds: float = SECONDS
) -> Iterator[Taken]:
    """Doubles the merchants until that brings little, in one lake or `apart`, in a lake each."""
    lakes = [new_lake(catalog, folder)]
    best = 0.0
    while len(lakes) <= MOST:
        taken = measure(lakes, folder, seconds)
        yield taken
        if taken.per_s < WORTH_IT * best:
            return
        best = taken.per_s
        lakes += [new_lake(catalog, folder) if apart else lakes[0] for _ in lakes]


def _merchant(lake: Lake, root: Path, number: int, seconds: float) -> list[float]:
    """Seconds that each round took; the first, which opens everything, is not counted."""
    warehouse, market = Warehouse(root, "bench", lake=lake), Market(PAIRS, CHANGE_RATE, number)
    warehouse.commit(market.lists(utc_now()))
    warehouse.commit(next(market.polls(utc_now(), 1)))
    _Start.barrier.wait()
    took: list[float] = []
    ends = time.monotonic() + seconds
    while (begun := time.monotonic()) < ends:
        warehouse.commit(next(market.polls(utc_now(), 1)))
        took.append(time.monotonic() - begun)
    return took


def new_lake(catalog: str, folder: Path) -> Lake:
    """A lake with nothing in it, in a database of its own."""
    name = f"bench_{os.getpid()}_{time.monotonic_ns()}"
    with closing(psycopg2.connect(catalog)) as con:
        con.autocommit = True
        con.cursor().execute(f"CREATE DATABASE {name}")
    return Lake(make_dsn(catalog, dbname=name), data_path=str(folder / name))


def main() -> None:
    """Measures both and prints a line for each number of merchants."""
    click.echo("\n".join(machine()))
    for apart in (False, True):
        click.echo("a lake each" if apart else "one lake for all")
        with TemporaryDirectory(prefix="ccpay-bench-") as folder:
            for taken in growing(sys.argv[1], Path(folder), apart=apart):
                click.echo(
                    f"{taken.merchants:4} merchants: {taken.per_s:6.2f} rounds/s,"
                    f" a round takes {taken.median_s:.2f} s"
                )


if __name__ == "__main__":
    main()
