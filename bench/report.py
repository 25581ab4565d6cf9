"""The figures of a run as text: asking, sizes, writing, questions, the year, the machine.

Owns the words and the layout of what `make bench` prints; targets.py judges. Measures nothing.
Called by __main__.py.
"""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence

import duckdb
import polars as pl

from bench import by_dlt, clickhouse
from bench.asking import BARE, CONNECTIONS, DELAY_S, Asked
from bench.hour import Hour
from bench.questions import Answered
from bench.run import Measured
from bench.year import Costs, Year

# Hours in a day; raw answers stay for 14 of them by default.
HOURS = 24
RAW_DAYS = 14
WIDTH = 58


def machine() -> list[str]:
    """What a reader needs to know to compare: processor, versions, load."""
    system = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    load = f"load {os.getloadavg()[0]:.1f} at the start"
    versions = {
        "Python": platform.python_version(),
        "DuckDB": duckdb.__version__,
        "polars": pl.__version__,
        "dlt": by_dlt.installed() or "not installed",
        "chdb-core": clickhouse.installed() or "not installed",
    }
    return [f"{system}, {load}", ", ".join(f"{what} {which}" for what, which in versions.items())]


def lines_of(measured: Measured) -> list[str]:
    """Everything about one change rate."""
    total = measured.written.observations
    title = f"{measured.rate:.0%} change per poll, {total:,} observations (fees, prices, rates)"
    return [
        title,
        *_size_lines(measured),
        *_write_lines(measured),
        *question_lines(measured.answered),
    ]


def year_lines(year: Year) -> list[str]:
    """Commit and publication with one full hot window and after a year, in turns."""
    often = f"every 5 minutes in the last {year.window_days:.1f} days of each hot window"
    return [
        f"a year: {year.polls:,} polls, {often}, else every {year.seldom_s} s",
        _line("", "one window", "after a year", ""),
        _line("hot file, MB", _mb(year.window.size), _mb(year.after.size), ""),
        *(
            _line(f"ms per {what}", f"{before:.1f}", f"{after:.1f}", f"{after / before:.2f} x")
            for what, before, after in _year_ms(year.window, year.after)
        ),
    ]


def question_lines(answered: Sequence[Answered]) -> list[str]:
    """Milliseconds of each side, and how many times faster than plain rows the store is."""
    names = list(answered[0].ms)
    lines = ["", f"  {'question, ms':<{WIDTH}}" + "".join(f"{name:>14}" for name in names)]
    for item in answered:
        label = f"{item.question.name} ({item.rows})" + ("" if item.question.is_counted else " *")
        cells = "".join(f"{ms:>14.1f}" for ms in item.ms.values())
        lines.append(f"  {label:<{WIDTH}}{cells}  {ratio(item):.2f} x")
    mean = f"{geometric_mean(answered):.2f} times as fast as plain rows"
    return [*lines, f"  geometric mean of the eight without *: {mean}"]


def asking_lines(asked: Mapping[str, Asked]) -> list[str]:
    """Fees per second and milliseconds of CPU per fee of each side, beside bare aiohttp."""
    bare = asked[BARE]
    return [
        f"asking for fees: {CONNECTIONS} connections, answers after {1000 * DELAY_S:.0f} ms",
        _line("", "fees/s", "CPU ms/fee", "beside aiohttp"),
        *(
            _line(name, f"{one.per_s:.1f}", f"{one.cpu_ms:.3f}",
                  f"{one.per_s / bare.per_s:.2f} x as fast, {one.cpu_ms / bare.cpu_ms:.2f} x CPU")
            for name, one in asked.items()
        ),
    ]  # fmt: skip


def ratio(item: Answered) -> float:
    """How many times as fast as plain rows the store answers."""
    return item.ms["plain"] / item.ms["store"]


def counted(answered: Sequence[Answered]) -> list[Answered]:
    """Those of the eight questions."""
    return [item for item in answered if item.question.is_counted]


def geometric_mean(answered: Sequence[Answered]) -> float:
    """Of the ratios of the eight questions."""
    return statistics.geometric_mean(ratio(item) for item in counted(answered))


def _size_lines(measured: Measured) -> list[str]:
    total, hot = measured.written.observations, measured.written.fullest
    per = [
        ("hot file, at its fullest", hot.size, hot.observations),
        ("hot file, blocks in use", hot.used, hot.observations),
        ("sealed", measured.parts["sealed"], measured.sealed),
        ("plain rows in DuckDB", measured.plain_bytes, total),
        *((f"plain rows in {name}", size, total) for name, size in measured.chdb_bytes.items()),
    ]
    lines = [
        f"  {f'bytes per observation, {what}':<{WIDTH}}{size / count:>14.2f}  "
        f"{size / 1e6:.1f} MB, {count:,} observations"
        for what, size, count in per
        if count
    ]
    raw_day = HOURS * measured.hour.raw_bytes
    parts: Mapping[str, int] = measured.parts | {"raw answers": RAW_DAYS * raw_day}
    shown = ", ".join(f"{part} {_mb(size)}" for part, size in parts.items())
    raw = f"raw answers: {_mb(raw_day)} a day, kept for {RAW_DAYS}"
    return [*lines, f"  the folder, MB: {shown}; total {_mb(sum(parts.values()))} ({raw})"]


def _write_lines(measured: Measured) -> list[str]:
    written, hour = measured.written, measured.hour
    polls = max(1, written.polls)
    took = {
        "inventing": written.invent_s,
        "store": written.store_s,
        "sealing": written.seal_s,
        "plain": written.plain_s,
        "chdb": measured.chdb_load_s,
    }
    return [
        "",
        _line("", "store", "plain", ""),
        _times("round of polls, a day in a transaction", written.store_s / polls,
               written.plain_s / polls),
        _times("fee poll alone: open, write, commit, close", hour.fee_poll_s,
               statistics.median(hour.plain_s)),
        _times("publication (plain: copy and flush)", statistics.median(hour.publish_s),
               hour.plain_copy_s),
        *(
            f"  {f'the same fee poll by dlt from {form}, ms':<{WIDTH}}{1000 * dlt_s:>14.1f}  "
            f"{dlt_s / hour.fee_poll_s:.1f} times the store's"
            for form, each in hour.dlt_s.items()
            for dlt_s in (statistics.median(each),)
        ),
        f"  other commits, ms: {_commits(hour)}",
        _written_line(hour),
        "  took, s: " + ", ".join(f"{what} {took_s:.0f}" for what, took_s in took.items()),
    ]  # fmt: skip


def _commits(hour: Hour) -> str:
    medians = {feed: 1000 * statistics.median(each) for feed, each in hour.commit_s.items()}
    return ", ".join(f"{feed} {ms:.1f}" for feed, ms in medians.items() if feed != "fees")


def _written_line(hour: Hour) -> str:
    if not hour.written:
        return "  bytes written per day: this system does not count them"
    shown = ", ".join(f"{what} {HOURS * n / 1e9:.2f}" for what, n in hour.written.items())
    return f"  written per day by default settings, GB: {shown}; total {gb_per_day(hour):.2f}"


def gb_per_day(hour: Hour) -> float:
    """Gigabytes that are written in a day like this hour."""
    return HOURS * sum(hour.written.values()) / 1e9


def _year_ms(window: Costs, after: Costs) -> list[tuple[str, float, float]]:
    pairs = [
        ("fee poll", window.commit_s, after.commit_s),
        ("publication", window.publish_s, after.publish_s),
    ]
    medians = [
        (what, 1000 * statistics.median(before), 1000 * statistics.median(later))
        for what, before, later in pairs
    ]
    return [*medians, ("both", 1000 * window.both_s, 1000 * after.both_s)]


def _times(what: str, store_s: float, plain_s: float) -> str:
    store, plain = f"{1000 * store_s:.1f}", f"{1000 * plain_s:.1f}"
    return _line(f"{what}, ms", store, plain, f"{plain_s / store_s:.2f} x")


def _line(what: str, left: str, right: str, note: str) -> str:
    return f"  {what:<{WIDTH}}{left:>14}{right:>14}  {note}".rstrip()


def _mb(size: float) -> str:
    return f"{size / 1e6:.1f}"
