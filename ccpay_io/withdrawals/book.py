"""Imports a file of withdrawals: all of its lines in one transaction, or none of them.

Owns the table store.withdrawal, what makes a withdrawal the same as an earlier one (its record_id)
and the report on wrong lines. Does not read CSV (table.py) or texts (lines.py). Called by
`ccpay import`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from ccpay_io.errors import ConfigError, NothingPublished, quoted
from ccpay_io.feeds.poll import utc_now
from ccpay_io.query import text_value
from ccpay_io.store.datasets import AMOUNT
from ccpay_io.store.writer import Warehouse
from ccpay_io.withdrawals.lines import SHOWN, Withdrawal, check_line, known_names
from ccpay_io.withdrawals.table import Line, read_table

_SCHEMA: Mapping[str, Any] = {
    "record_id": pl.String,
    "withdrawn_at": pl.Datetime("us", "UTC"),
    "coin_id": pl.Int64,
    "chain": pl.String,
    "amount": AMOUNT,
    "fee_amount": AMOUNT,
    "fee_coin_id": pl.Int64,
}

# record_id -> the withdrawal, and words for where it came from.
_Seen = dict[str, tuple[Withdrawal, str]]


@dataclass(frozen=True)
class Imported:
    """What became of a file.

    Attributes:
        new: withdrawals that were stored, or with a dry run would be.
        known: lines whose withdrawal was there already, with the same values.
        ignored: columns of the file that mean nothing here.
    """

    new: int
    known: int
    ignored: Sequence[str]


def import_withdrawals(warehouse: Warehouse, file: Path, *, dry_run: bool = False) -> Imported:
    """Stores the withdrawals of a CSV file that are new, and publishes.

    A file that was imported before changes nothing, but is published again: whoever repeats an
    import that was killed gets what it would have given.

    Args:
        warehouse: one that has been polled, as coins and chains are checked against it.
        file: docs/import.md describes it.
        dry_run: store and publish nothing.

    Raises:
        ConfigError: a line is wrong; the message names the first 20 by number. Nothing was stored.
        NothingPublished: nothing has been polled yet.
    """
    table = read_table(file)
    if not warehouse.exists():
        raise _nothing_known(warehouse)
    with warehouse.transaction() as con:
        names = known_names(con)
        if not (names.coins and names.chains):
            raise _nothing_known(warehouse)
        seen = _stored(con, table.lines)
        before, now = len(seen), utc_now()
        problems: list[str] = []
        for line in table.lines:
            withdrawal, found = check_line(line, names, now)
            if withdrawal is not None:
                found = _differences(seen, withdrawal, line.number)
            problems += [f"line {line.number}: {problem}" for problem in found]
        if problems:
            raise _refusal(file, problems)
        fresh = [withdrawal for withdrawal, _ in list(seen.values())[before:]]
        if not dry_run:
            _store(con, fresh, file.name, now)
    if not dry_run:
        warehouse.publish(force=True)
    return Imported(len(fresh), len(table.lines) - len(fresh), table.ignored)


def _stored(con: duckdb.DuckDBPyConnection, lines: Sequence[Line]) -> _Seen:
    """The withdrawals in the warehouse that have a record_id of the file."""
    ids = pl.DataFrame({"record_id": [line.fields.get("record_id") for line in lines]})
    con.register("wanted", ids.cast(pl.String).to_arrow())
    rows = con.execute(
        f"SELECT {', '.join(_SCHEMA)} FROM store.withdrawal SEMI JOIN wanted USING (record_id)"
    ).fetchall()
    con.unregister("wanted")
    return {row[0]: (Withdrawal(*row), "") for row in rows}


def _differences(seen: _Seen, withdrawal: Withdrawal, number: int) -> list[str]:
    """How this withdrawal is another than the one of the same record_id; notes a new one."""
    if withdrawal.record_id not in seen:
        seen[withdrawal.record_id] = withdrawal, f" on line {number}"
        return []
    earlier, where = seen[withdrawal.record_id]
    if earlier == withdrawal:
        return []
    was = ", ".join(
        _said(name, getattr(earlier, name))
        for name in _SCHEMA
        if getattr(earlier, name) != getattr(withdrawal, name)
    )
    verb = f"has {was}{where}" if where else f"was imported with {was} before"
    return [f"record {quoted(withdrawal.record_id, 40)} {verb}"]


def _said(name: str, value: object) -> str:
    return f"no {name}" if value is None else f"{name} {text_value(value)}"


def _store(
    con: duckdb.DuckDBPyConnection, fresh: Sequence[Withdrawal], source: str, now: datetime
) -> None:
    frame = pl.DataFrame(
        [astuple(withdrawal) for withdrawal in fresh], schema=_SCHEMA, orient="row", strict=True
    )
    con.register("fresh", frame.to_arrow())
    con.execute(
        "INSERT INTO store.withdrawal BY NAME"
        " SELECT *, ?::VARCHAR AS source_file, ?::TIMESTAMPTZ AS imported_at FROM fresh",
        [source, now],
    )
    con.unregister("fresh")


def _refusal(file: Path, problems: Sequence[str]) -> ConfigError:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    shown = list(problems[:SHOWN])
    if len(problems) > SHOWN:
        shown.append(f"and {len(problems) - SHOWN} more")
    text = "\n  ".join([f"{file.name} has {count}, nothing was imported", *shown])
    return ConfigError(text, hint="correct the file and import it again; docs/import.md says how")


def _nothing_known(warehouse: Warehouse) -> NothingPublished:
    return NothingPublished(
        f"no coins and chains are known in {warehouse.root} yet, to check the file against",
        hint="run `ccpay poll all`, or `ccpay up`, first",
    )
