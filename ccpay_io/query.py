"""One SQL statement on the published warehouse, and its rows in forms that keep amounts exact.

Owns how a value leaves as text: decimals as plain digits without padding zeros, times in ISO 8601.
Does not decide where the text goes. Called by `ccpay query`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from math import isfinite
from pathlib import Path
from uuid import UUID

import duckdb

from ccpay_io.errors import QueryRefused
from ccpay_io.store.reading import (
    Place,
    clear_errors,
    connect_published,
    fetch_frame,
    refuse_files,
)

FETCH = 1000


@dataclass(frozen=True)
class Rows:
    """The rows of a statement, which runs when they are first asked for, in one of two forms.

    Raises:
        QueryRefused: from every member, when the statement is not valid, not allowed or fails.
    """

    _con: duckdb.DuckDBPyConnection
    _sql: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, all different."""
        return _distinct([name for name, *_ in self._result.description or ()])

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        while chunk := self._fetch():
            yield from chunk

    def write_parquet(self, path: Path) -> None:
        """Writes all rows, with their types, to a Parquet file."""
        with clear_errors():
            fetch_frame(self._con, self._sql).write_parquet(path)

    @cached_property
    def _result(self) -> duckdb.DuckDBPyConnection:
        with clear_errors():
            return self._con.execute(self._sql)

    def _fetch(self) -> list[tuple[object, ...]]:
        with clear_errors():
            return self._result.fetchmany(FETCH)


@contextmanager
def run_query(place: Place, sql: str) -> Iterator[Rows]:
    """Runs a statement on the newest publication; read-only and locked down.

    Args:
        place: the warehouse folder, or the lake.
        sql: any statement; one that writes, or reads other files, is refused.

    Raises:
        NothingPublished: nothing to read yet.
        QueryRefused: there is no statement in it, or it is not SQL.
    """
    with connect_published(place) as con:
        with clear_errors():
            statements = refuse_files(con, sql)
        if not statements:
            raise QueryRefused(
                "there is no SQL statement to run",
                hint='for example: ccpay query "SELECT * FROM chain_status_now"',
            )
        yield Rows(con, sql)


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Column names, a repeated one with a number, so that no value is lost in a JSON object."""
    ordered: list[str] = []
    seen: dict[str, int] = {}
    for name in names:
        n = seen.get(name, 0)
        ordered.append(name if n == 0 else f"{name}_{n}")
        seen[name] = n + 1
    return tuple(ordered)


def plain_decimal(value: Decimal) -> str:
    """All digits, no exponent, no padding zeros: 1.500 -> "1.5"."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def json_value(value: object) -> object:
    """A value as `json.dumps` takes it; amounts as strings, lest readers make floats of them."""
    match value:
        case Decimal():
            return plain_decimal(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID():
            return str(value)
        case bytes():
            return value.hex()
        case list() | tuple():
            return [json_value(item) for item in value]
        case dict():
            return {str(key): json_value(item) for key, item in value.items()}
        case float() if not isfinite(value):
            return None
    return value


def text_value(value: object) -> str:
    """A value for a cell of a table or a CSV file; nothing for NULL."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    plain = json_value(value)
    return plain if isinstance(plain, str) else str(plain)
