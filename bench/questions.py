"""The questions: what is asked, that every side gives the same answer, and the time each takes.

Owns the list of questions, the comparison of the answers and the stop watch. The SQL is in
sql_store.py, sql_plain.py and sql_chdb.py. Does not write and does not judge. Called by run.py.

All sides are asked on a connection that is open already, in the way readers open it; the store is
asked through its published views only, with everything they do (values in USD, states, coverage).
A time ends when the whole answer is an Arrow table; Python objects would cost every side the same
milliseconds.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import duckdb
import pyarrow as pa

from bench import sql_plain, sql_store

TIMES = 5
# An answer that takes longer than this is timed three times, and one ten times as long once.
SLOW_S = 1.0


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        is_now: whether it is about the present, which must take less than 10 ms.
        is_counted: whether it is one of the eight of the geometric mean.
    """

    name: str
    is_now: bool = False
    is_counted: bool = True


QUESTIONS = (
    Question("latest, all pairs", is_now=True),
    Question("30 days of one pair"),
    Question("days of one chain: open, high, low, close, average"),
    Question("cheapest chain per coin now", is_now=True),
    Question("90th percentile of each pair"),
    Question("movers in 24 hours"),
    Question("7 days of changes in EUR of then"),
    Question("polls per day"),
    Question("snapshot of any poll", is_counted=False),
    Question("fees as of a day ago", is_counted=False),
    Question("30 days of one pair, poll by poll", is_counted=False),
)


class Side(Protocol):
    """One of those that are asked."""

    @property
    def name(self) -> str:
        """How it is called in the report."""

    @property
    def forms(self) -> Mapping[str, str]:
        """Name of a question -> its SQL."""

    def ask(self, sql: str) -> pa.Table:
        """The whole answer."""


@dataclass(frozen=True)
class DuckSide:
    """A side that is an open DuckDB connection."""

    name: str
    forms: Mapping[str, str]
    con: duckdb.DuckDBPyConnection

    def ask(self, sql: str) -> pa.Table:
        """The whole answer."""
        return self.con.execute(sql).to_arrow_table()


def store_side(con: duckdb.DuckDBPyConnection) -> DuckSide:
    """The published warehouse."""
    return DuckSide("store", sql_store.FORMS, con)


def plain_side(con: duckdb.DuckDBPyConnection) -> DuckSide:
    """Plain rows in DuckDB."""
    con.execute("SET TimeZone = 'UTC'")
    return DuckSide("plain", sql_plain.FORMS, con)


@dataclass(frozen=True)
class Answered:
    """A question's answer: how many rows, the same on all sides, and milliseconds of each."""

    question: Question
    rows: int
    ms: Mapping[str, float]


class AnswersDiffer(AssertionError):
    """Two sides disagree; a time would mean nothing."""


def ask_all(
    sides: Sequence[Side], names: Mapping[str, object], progress: Callable[[str], None]
) -> list[Answered]:
    """Asks all sides everything, compares, then times them in turns: the median of five.

    Args:
        sides: the first is what the others are compared with.
        names: what the questions name (`moments`).
        progress: told each answer.

    Raises:
        AnswersDiffer: with the first rows that differ.
    """
    answered = []
    for question in QUESTIONS:
        forms = {side.name: side.forms[question.name].format(**names) for side in sides}
        first = _rows(sides[0].ask(forms[sides[0].name]))
        for side in sides[1:]:
            _check_same(question.name, side.name, first, _rows(side.ask(forms[side.name])))
        times: dict[str, list[float]] = {side.name: [] for side in sides}
        for turn in range(TIMES):
            for side in sides:
                if _is_due(turn, times[side.name]):
                    times[side.name].append(_seconds(side, forms[side.name]))
        ms = {name: 1000 * statistics.median(each) for name, each in times.items()}
        answered.append(Answered(question, len(first), ms))
        told = ", ".join(f"{name} {each:.1f}" for name, each in ms.items())
        progress(f"  {question.name}, {len(first)} rows, ms: {told}")
    return answered


def moments(plain: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """What the questions name: a pair, moments before the last poll, polls at such moments."""
    polls = plain.execute("""
        SELECT DISTINCT poll_id, observed_at AT TIME ZONE 'UTC' FROM fee ORDER BY ALL
        """).fetchall()
    last_id, end = polls[-1]
    coin, chain = plain.execute(
        "SELECT min(coin), min_by(chain, (coin, chain)) FROM fee"
    ).fetchall()[0]
    # In a history of less than a day there is none.
    day_poll = max((poll for poll, _ in polls if poll <= last_id - 86_400_000_000), default=0)
    return {
        "end": _text(end),
        "month": _text(end - timedelta(days=30)),
        "week": _text(end - timedelta(days=7)),
        "day_poll": day_poll,
        "day_ago": _text(end - timedelta(days=1)) + "+00",
        "last_poll": last_id,
        "some_poll": polls[round(0.37 * len(polls))][0],
        "coin": coin,
        "chain": chain,
    }


def _text(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="microseconds")


def _rows(table: pa.Table) -> list[tuple[object, ...]]:
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _check_same(
    question: str, side: str, first: list[tuple[object, ...]], other: list[tuple[object, ...]]
) -> None:
    if len(first) != len(other):
        raise AnswersDiffer(f"{question}: {len(first)} rows, but {len(other)} from {side}")
    for left, right in zip(first, other, strict=True):
        if not all(_equal(a, b) for a, b in zip(left, right, strict=True)):
            raise AnswersDiffer(f"{question}: {left}, but {side} says {right}")


def _equal(a: object, b: object) -> bool:
    """Amounts and everything else exactly; what a question computes in DOUBLE, nearly."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9)
    return a == b


def _is_due(turn: int, times: Sequence[float]) -> bool:
    if turn == 0 or times[0] < SLOW_S:
        return True
    return turn < 3 and times[0] < 10 * SLOW_S


def _seconds(side: Side, sql: str) -> float:
    started = time.perf_counter()
    side.ask(sql)
    return time.perf_counter() - started
