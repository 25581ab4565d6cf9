"""`python -m bench`, or `make bench`: measures client and store beside baselines, prints figures.

Owns the settings of a run (1,500 fees to ask for; 2,000 pairs, a poll every five minutes, 90 days,
5 % and 30 % changes) and the scratch folder. BENCH_DAYS scales the history and the year; TMPDIR
says where it is written. `python -m bench asking` measures the client alone, in two minutes.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench.asking import measure_asking
from bench.history import EVERY_S, Market
from bench.hour import ROUNDS, WARM_UP
from bench.report import asking_lines, lines_of, machine, year_lines
from bench.run import Measured, measure
from bench.targets import asking_targets, target_lines
from bench.writing import DAY
from bench.year import END, START, WINDOW_END, Year, measure_year

PAIRS = 2000
CHANGE_RATES = (0.05, 0.30)
DEFAULT_DAYS = 90
SELDOM_S = 3600
YEAR_DAYS = 365
TURNS = 24
FEES, FEW, ASKING_TURNS = 1500, 100, 5


def main() -> None:
    """Asks, runs both change rates and the year, and shows each as soon as it is known."""
    days = float(os.environ.get("BENCH_DAYS", DEFAULT_DAYS))
    started = time.monotonic()
    _show([f"{PAIRS} pairs, {days:g} days of a poll every {EVERY_S // 60} minutes", *machine()])
    _show(_asking())
    if "asking" in sys.argv[1:]:
        return
    runs = []
    for rate in CHANGE_RATES:
        runs.append(_run(rate, days))
        _show(lines_of(runs[-1]))
    year = _year(days)
    _show(year_lines(year))
    _show(target_lines(runs, year, days, time.monotonic() - started))


def _show(lines: list[str]) -> None:
    click.echo("\n".join(["", *lines, ""]))


def _asking() -> list[str]:
    click.echo("asking for fees")
    with TemporaryDirectory(prefix="ccpay-bench-") as folder:
        asked = measure_asking(
            Path(folder), fees=FEES, few=FEW, turns=ASKING_TURNS, progress=click.echo
        )
    return [*asking_lines(asked), *asking_targets(asked)]


def _run(rate: float, days: float) -> Measured:
    click.echo(f"{rate:.0%} of all values change from poll to poll")
    with TemporaryDirectory(prefix="ccpay-bench-") as folder:
        return measure(
            Path(folder),
            pairs=PAIRS,
            rate=rate,
            polls=max(2 * (WARM_UP + ROUNDS), round(days * DAY)),
            live=WARM_UP + ROUNDS,
            others=True,
            progress=click.echo,
        )


def _year(days: float) -> Year:
    """The hot windows shrink with BENCH_DAYS, and the rest of the year is polled more seldom."""
    scale = days / DEFAULT_DAYS
    window_days = min(1.0, scale) * ((WINDOW_END - START) / timedelta(days=1))
    seldom_s = EVERY_S if days >= YEAR_DAYS else min(86_400, round(SELDOM_S / scale))
    click.echo(f"a year at {CHANGE_RATES[0]:.0%}")
    with TemporaryDirectory(prefix="ccpay-bench-") as folder:
        return measure_year(
            Path(folder),
            Market(PAIRS, CHANGE_RATES[0]),
            end=END,
            window_days=window_days,
            seldom_s=seldom_s,
            turns=TURNS,
            progress=click.echo,
        )


if __name__ == "__main__":
    main()
