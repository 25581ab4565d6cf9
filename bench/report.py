"""The figures of one run as text: what was measured, the ratios, the machine.

Owns the words and the layout of what `make bench` prints. Measures nothing. Called by __main__.py.
"""

from __future__ import annotations

import os
import platform
import statistics

import duckdb
import polars as pl

from bench.questions import Answered
from bench.writing import Written

POLLS_PER_DAY = 288
# DuckDB's unit of space: the slope between two sizes cannot be known better than two of them.
BLOCK = 262_144


def machine() -> str:
    """What a reader needs to know to compare: processor count, versions, load."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, "
        f"polars {pl.__version__}, load {load:.1f} at the start"
    )


def size_lines(written: Written) -> list[str]:
    """Bytes per observation: the whole file, and the slope once the empty tables are paid for."""
    half, end, after = written.half, written.end, written.after
    more = max(1, end.observations - half.observations)
    store = (end.store_used - half.store_used) / more
    plain = (end.plain_used - half.plain_used) / more
    return [
        _line("", "store", "plain rows", "ratio"),
        _sizes(
            "bytes per observation, whole file",
            end.store / end.observations,
            end.plain / end.observations,
        ),
        _sizes(f"bytes per observation, marginal +-{2 * BLOCK / more:.2f}", store, plain),
        _sizes("file, MB", end.store / 1e6, end.plain / 1e6),
        _sizes("file after single commits, MB", after.store / 1e6, after.plain / 1e6),
    ]


def write_lines(written: Written) -> list[str]:
    """Milliseconds per poll, in batches and alone, and of a publication."""
    ms = [
        1000 * statistics.median(times)
        for times in (written.store_commit_s, written.plain_commit_s, written.publish_s)
    ]
    per_day = POLLS_PER_DAY * written.after.store / 1e9
    return [
        _times("ms per five-minute poll, in batches", 1000 * written.store_batch_s / written.polls,
               1000 * written.plain_batch_s / written.polls),
        _times("ms per fee poll, open to close", ms[0], ms[1]),
        _times("ms per publication (plain: copy)", ms[2], 1000 * written.plain_copy_s),
        f"  {per_day:.2f} GB a day written by publishing this file every five minutes",
    ]  # fmt: skip


def question_lines(answered: list[Answered]) -> list[str]:
    """Milliseconds per question, how many times faster the store is, and the geometric mean."""
    lines = [
        _times(f"{item.question.name} ({item.rows} rows), ms", item.store_ms, item.plain_ms)
        for item in answered
    ]
    mean = statistics.geometric_mean(item.plain_ms / item.store_ms for item in answered)
    slower = sum(item.store_ms > item.plain_ms for item in answered)
    now = max(item.store_ms for item in answered if item.question.is_now)
    summary = (
        f"  geometric mean: the store is {mean:.2f} times as fast; slower in {slower} of "
        f"{len(answered)}; the slowest 'now' question takes {now:.1f} ms"
    )
    return [*lines, summary]


def _sizes(what: str, store: float, plain: float) -> str:
    ratio = f"{plain / store:.1f} x smaller" if store > 0 else "below resolution"
    return _line(what, f"{store:.2f}", f"{plain:.2f}", ratio)


def _times(what: str, store: float, plain: float) -> str:
    return _line(what, f"{store:.1f}", f"{plain:.1f}", f"{plain / store:.2f} x as fast")


def _line(what: str, store: str, plain: str, ratio: str) -> str:
    return f"  {what:<46}{store:>10}{plain:>12}  {ratio}"
