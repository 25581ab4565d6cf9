"""`python -m bench`, or `make bench`: measures the store beside plain rows and prints the figures.

Owns the settings of a run (2,000 pairs, a poll every five minutes, 5 % and 30 % changes) and the
scratch folder. BENCH_DAYS (default 3) says how long the history is.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import duckdb

from bench.history import Market
from bench.plain import PlainRows
from bench.questions import Answered, ask_all
from bench.report import POLLS_PER_DAY, machine, question_lines, size_lines, write_lines
from bench.writing import Writing, Written
from ccpay_io.store.reading import connect_published
from ccpay_io.store.writer import Warehouse

PAIRS = 2000
CHANGE_RATES = (0.05, 0.30)
DEFAULT_DAYS = "3"


def measure(
    folder: Path, *, pairs: int, change_rate: float, polls: int
) -> tuple[Written, list[Answered]]:
    """Writes one history both ways into an empty folder and asks both sides everything.

    Raises:
        AnswersDiffer: the two disagree.
    """
    market = Market(pairs, change_rate, datetime.now(UTC).replace(microsecond=0))
    warehouse = Warehouse(folder / "warehouse", "bench")
    plain = PlainRows(folder / "plain.duckdb", market.symbols)
    written = Writing(warehouse, plain).run(market, polls, click.echo)
    with (
        connect_published(warehouse.root) as store_con,
        duckdb.connect(str(plain.path), read_only=True) as plain_con,
    ):
        plain_con.execute("SET TimeZone = 'UTC'")
        return written, ask_all(store_con, plain_con, click.echo)


def main() -> None:
    """Runs both change rates and prints everything at the end."""
    days = float(os.environ.get("BENCH_DAYS", DEFAULT_DAYS))
    polls = round(days * POLLS_PER_DAY)
    lines = [f"{PAIRS} pairs, {polls} polls ({days:g} days)", machine()]
    started = time.monotonic()
    for rate in CHANGE_RATES:
        click.echo(f"{rate:.0%} of all values change from poll to poll")
        with TemporaryDirectory(prefix="ccpay-bench-") as folder:
            written, answered = measure(Path(folder), pairs=PAIRS, change_rate=rate, polls=polls)
        lines += ["", f"{rate:.0%} change per poll, {written.end.observations:,} observations"]
        lines += [*size_lines(written), *write_lines(written), *question_lines(answered)]
    click.echo("\n" + "\n".join(lines))
    click.echo(f"\ntook {timedelta(seconds=round(time.monotonic() - started))}")


if __name__ == "__main__":
    main()
