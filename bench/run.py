"""One run at one change rate: write the history both ways, live an hour, ask every side.

Owns the order of these steps and the folders of a run. The figures come from the modules that it
calls. Called by __main__.py and the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from bench import by_dlt, clickhouse
from bench.history import EVERY_S, Market
from bench.hour import Hour, LiveHour, copy_and_flush
from bench.plain import PlainRows
from bench.questions import Answered, ask_all, moments, plain_side, store_side
from bench.sizes import parts
from bench.writing import Writing, Written, seconds
from ccpay_io.store.reading import connect_published
from ccpay_io.store.writer import Warehouse


@dataclass(frozen=True)
class Measured:
    """The figures of one change rate.

    Attributes:
        rate: share of the values that change from poll to poll.
        written: what the history cost.
        sealed: observations of the sealed months.
        hour: what an hour by default settings costs.
        parts: part of the warehouse folder -> bytes.
        plain_bytes: the plain file.
        chdb_bytes: table -> bytes; empty without chdb.
        chdb_load_s: seconds to load and merge all of chdb's tables.
        answered: the questions.
    """

    rate: float
    written: Written
    sealed: int
    hour: Hour
    parts: dict[str, int]
    plain_bytes: int
    chdb_bytes: dict[str, int]
    chdb_load_s: float
    answered: list[Answered]


def measure(
    folder: Path,
    *,
    pairs: int,
    rate: float,
    polls: int,
    live: int,
    others: bool,
    progress: Callable[[str], None],
) -> Measured:
    """Runs everything in an empty folder.

    Args:
        folder: for both sides.
        pairs: how many.
        rate: share of the values that change from poll to poll.
        polls: five-minute rounds in all; the last is now.
        live: how many of them are written one by one.
        others: whether dlt and chdb take part, where they are installed.
        progress: told each step.

    Raises:
        AnswersDiffer: two sides disagree.
    """
    market = Market(pairs, rate)
    warehouse = Warehouse(folder / "warehouse", "bench")
    plain = PlainRows(folder / "plain.duckdb")
    files = folder / "rows"
    files.mkdir()
    writing = Writing(market, warehouse, plain, files)
    now = datetime.now(UTC).replace(microsecond=0)
    hour_from = now - timedelta(seconds=EVERY_S * (live - 1))
    batched = polls - live
    writing.days(hour_from - timedelta(seconds=EVERY_S * batched), batched, progress)
    dlt = by_dlt.DltFiles(folder / "dlt") if others and by_dlt.installed() else None
    hour = LiveHour(market, warehouse, writing, dlt).run(hour_from, live, progress)
    hour.plain_copy_s = copy_and_flush(plain.path)
    chdb_bytes, chdb_load_s, answered = _ask(
        folder, warehouse, plain, others=others, progress=progress
    )
    return Measured(
        rate=rate,
        written=writing.written,
        sealed=writing.sealed_observations(),
        hour=hour,
        parts=parts(warehouse.root, warehouse.private),
        plain_bytes=plain.path.stat().st_size,
        chdb_bytes=chdb_bytes,
        chdb_load_s=chdb_load_s,
        answered=answered,
    )


def _ask(
    folder: Path,
    warehouse: Warehouse,
    plain: PlainRows,
    *,
    others: bool,
    progress: Callable[[str], None],
) -> tuple[dict[str, int], float, list[Answered]]:
    with ExitStack() as stack:
        store_con = stack.enter_context(connect_published(warehouse.root))
        plain_con = stack.enter_context(duckdb.connect(str(plain.path), read_only=True))
        sides = [store_side(store_con), plain_side(plain_con)]
        sizes: dict[str, int] = {}
        load_s = 0.0
        if others and clickhouse.installed():
            chdb = stack.enter_context(clickhouse.opened(folder / "chdb"))
            load_s = seconds(lambda: clickhouse.load(chdb, folder / "rows"))
            sizes = {
                name: clickhouse.bytes_of(chdb, table)
                for name, table in clickhouse.FEE_TABLES.items()
            }
            sides += clickhouse.sides(chdb)
        return sizes, load_s, ask_all(sides, moments(plain_con), progress)
