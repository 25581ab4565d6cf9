"""What sub-commands print with: consoles, tables, and the word "sandbox" wherever it is due.

Owns widths and escaping. Data goes to stdout, everything about it to stderr.
"""

import sys
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ccpay_io.settings import Settings

# What is piped into a file or another program must not be folded to 80 columns.
WIDE = 1000


def stdout(file: IO[str] | None = None) -> Console:
    """The console for data, or one that writes to a file."""
    terminal = file is None and sys.stdout.isatty()
    return Console(file=file, width=None if terminal else WIDE, highlight=False)


def stderr() -> Console:
    """The console for everything about the data."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def name_environment(settings: Settings) -> None:
    """Says on stderr that what follows is not real, if so."""
    if settings.environment == "sandbox":
        stderr().print(Text("sandbox: made-up data, not CCPayment's", style="yellow"))


def print_table(
    console: Console,
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[str] = (),
) -> None:
    """Prints a plain table; cells are shown as they are, whatever brackets they contain.

    Args:
        right: headers of columns that are aligned to the right.
    """
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        grid.add_column(Text(header), justify="right" if header in right else "left")
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    # rich pads the last column; what is copied or piped should not carry that along.
    with console.capture() as printed:
        console.print(grid)
    for line in printed.get().splitlines():
        console.out(line.rstrip(), highlight=False)


def age(seconds: int | None) -> str:
    """How old data is: "40 s old", "2 min old", "3 h old"."""
    if seconds is None:
        return "never answered"
    if seconds < 90:
        return f"{seconds} s old"
    if seconds < 5400:
        return f"{round(seconds / 60)} min old"
    span = timedelta(seconds=seconds)
    return f"{round(span / timedelta(hours=1))} h old"
