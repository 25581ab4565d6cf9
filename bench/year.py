"""A year of history, for one question: do a commit and a publication cost more at its end?

Owns the calendar of that year and the comparison. A market is stored from 1 January to the evening
of 2 February: nothing is ever hot for longer, for January is sealed at midnight. A copy of the
folder stays there while the other goes on for a year, sealed month by month. Then both get the same
polls in turns. Called by __main__.py.

Only the hot windows are polled every five minutes; a year of that would take the whole time of the
benchmark. The months between go through the same commits and are sealed into as many files, but the
files are smaller: BENCH_DAYS=365 shows a year of full size.
"""

from __future__ import annotations

import math
import shutil
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.history import EVERY_S, Market
from bench.writing import DAY, seconds
from ccpay_io.feeds.poll import poll_id_at
from ccpay_io.store.sealing import seal
from ccpay_io.store.writer import Warehouse

# The lists are asked a minute earlier, in the same month.
START = datetime(2025, 1, 1, 0, 5, tzinfo=UTC)
WINDOW_END = datetime(2025, 2, 2, 23, tzinfo=UTC)
END = datetime(2026, 2, 2, 23, tzinfo=UTC)


@dataclass(frozen=True)
class Costs:
    """One of the two: size of the hot file, seconds of each commit and of each publication."""

    size: int
    commit_s: list[float]
    publish_s: list[float]

    @property
    def both_s(self) -> float:
        """Commit and publication."""
        return statistics.median(map(sum, zip(self.commit_s, self.publish_s, strict=True)))


@dataclass(frozen=True)
class Year:
    """What is compared.

    Attributes:
        window_days: how many of the hot days were polled every five minutes.
        seldom_s: seconds between the polls of all other days.
        polls: rounds of polls in all.
        window, after: costs with one full hot window, and a year later.
    """

    window_days: float
    seldom_s: int
    polls: int
    window: Costs
    after: Costs


def measure_year(
    folder: Path,
    market: Market,
    *,
    end: datetime,
    window_days: float,
    seldom_s: int,
    turns: int,
    progress: Callable[[str], None],
) -> Year:
    """Writes the year into an empty folder and compares.

    Args:
        folder: for both warehouses.
        market: makes the polls.
        end: of the year, in the evening before a month is sealed, as `END`.
        window_days: so many days at the end of each hot window are polled every five minutes.
        seldom_s: seconds between polls in the rest of the year.
        turns: polls that are compared.
        progress: told how far it has got.
    """
    year, window = folder / "year", folder / "window"
    warehouse = Warehouse(year, "bench")
    polls = 0
    for since, until in ((START, WINDOW_END), (WINDOW_END, end)):
        for at, count, every_s, after in _batches(since, until, window_days, seldom_s):
            lists = market.lists(at) if at == START else []
            rounds = market.polls(at, count, every_s)
            warehouse.commit([*lists, *(poll for each in rounds for poll in each)])
            seal(warehouse, after)
            polls += count
            progress(f"{polls:>6} polls of a year, {at:%Y-%m-%d}")
        if until == WINDOW_END:
            shutil.copytree(year, window)
    sides = [(Warehouse(window, "bench"), end - WINDOW_END), (warehouse, timedelta(0))]
    return Year(window_days, seldom_s, polls, *_in_turns(market, sides, end, turns))


def _batches(
    since: datetime, until: datetime, window_days: float, seldom_s: int
) -> Iterator[tuple[datetime, int, int, datetime]]:
    """Start, number and seconds of the polls of each transaction, and when the next begins."""
    often_from = until - timedelta(days=window_days)
    at = since
    while at < until:
        every_s = EVERY_S if at >= often_from else seldom_s
        end = until if at >= often_from else often_from
        count = min(DAY, math.ceil((end - at).total_seconds() / every_s))
        # Months are sealed between transactions, so none reaches far into the next.
        count = min(count, max(1, 5 * 86_400 // every_s))
        after = min(end, at + timedelta(seconds=every_s * count))
        yield at, count, every_s, after
        at = after


def _in_turns(
    market: Market, sides: list[tuple[Warehouse, timedelta]], end: datetime, turns: int
) -> list[Costs]:
    """Commits and publishes the same fee polls on both sides, in turns; the first is a warm-up.

    Args:
        market: makes the polls.
        sides: warehouses, and how long before `end` each has stopped.
        end: when the polls begin.
        turns: how many, without the warm-up.
    """
    costs = [Costs(warehouse.private.stat().st_size, [], []) for warehouse, _ in sides]
    for number, (*_, fees) in enumerate(market.polls(end, turns + 1)):
        for cost, (warehouse, before) in zip(costs, sides, strict=True):
            poll = replace(
                fees,
                poll_id=poll_id_at(fees.started_at - before),
                started_at=fees.started_at - before,
                observed_at=fees.observed_at - before,
            )
            commit_s = seconds(lambda w=warehouse, p=poll: w.commit([p]))
            publish_s = seconds(lambda w=warehouse: w.publish(force=True))
            if number > 0:
                cost.commit_s.append(commit_s)
                cost.publish_s.append(publish_s)
    return costs
