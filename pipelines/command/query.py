"""`ccpay query`: SQL on the published warehouse."""

import csv
import json
import sys
from itertools import islice
from pathlib import Path
from typing import IO

import click

from ccpay_io.query import Rows, json_value, run_query, text_value
from ccpay_io.settings import load_settings
from pipelines.command.output import name_environment, print_table, stderr, stdout
from pipelines.command.replacing import replacing

# More is for files, not for eyes.
LONGEST_TABLE = 1000


@click.command("query")
@click.argument("sql")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead."
)
def command(sql: str, form: str, out: Path | None) -> None:
    """Runs SQL on the published warehouse; reads only.

    Example: ccpay query "SELECT chain, fee_usd FROM withdraw_fee_now WHERE coin = 'USDT'"
    """
    if form == "parquet" and out is None:
        raise click.UsageError("parquet is binary: name a file with --out")
    settings = load_settings()
    name_environment(settings)
    with run_query(settings.place, sql) as rows:
        if out is None:
            _write_text(rows, form, sys.stdout)
            return
        with replacing(out) as path:
            if form == "parquet":
                rows.write_parquet(path)
            else:
                with path.open("w", encoding="utf-8", newline="") as file:
                    _write_text(rows, form, file)


def _write_text(rows: Rows, form: str, file: IO[str]) -> None:
    {"table": _as_table, "csv": _as_csv, "json": _as_json}[form](rows, file)


def _as_table(rows: Rows, file: IO[str]) -> None:
    found = list(islice(rows, LONGEST_TABLE + 1))
    cells = [[text_value(value) for value in row] for row in found[:LONGEST_TABLE]]
    print_table(stdout(file), rows.columns, cells)
    if len(found) > LONGEST_TABLE:
        stderr().print(f"the first {LONGEST_TABLE} rows; --format csv or json gives all")


def _as_csv(rows: Rows, file: IO[str]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(rows.columns)
    writer.writerows([text_value(value) for value in row] for row in rows)


def _as_json(rows: Rows, file: IO[str]) -> None:
    """An array of objects, one per line."""
    file.write("[")
    for number, row in enumerate(rows):
        item = dict(zip(rows.columns, map(json_value, row), strict=True))
        file.write((",\n " if number else "\n ") + json.dumps(item, ensure_ascii=False))
    file.write("\n]\n")
