"""The baseline in ClickHouse (chdb): the same plain rows, once by time and once by pair.

Owns the tables, how a folder of Parquet files gets into them, their sizes, and a side for the
questions. chdb is an extra that only `make bench` installs; without it there is no such baseline.
Called by run.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench import sql_chdb

_STAMP = "observed_at DateTime64(6, 'UTC'), poll_id Int64"
_NAME = "LowCardinality(String)"
_FEE = f"{_STAMP}, coin {_NAME}, chain {_NAME}, fee_amount Decimal(38, 18), fee_coin {_NAME}"
# Table -> source files, columns, sorting key.
_TABLES = {
    "fee_by_time": ("fee", _FEE, "observed_at"),
    "fee_by_pair": ("fee", _FEE, "(coin, chain, observed_at)"),
    "price": ("price", f"{_STAMP}, coin {_NAME}, price_usd Decimal(38, 18)", "observed_at"),
    "rate": ("rate", f"{_STAMP}, fiat {_NAME}, usd_rate Decimal(38, 18)", "observed_at"),
}
FEE_TABLES = {"chdb by time": "fee_by_time", "chdb by pair": "fee_by_pair"}
_SETTINGS = "SETTINGS session_timezone = 'UTC', output_format_arrow_string_as_string = 1"


def installed() -> str | None:
    """The version of chdb, or None."""
    return version("chdb-core") if find_spec("chdb") else None


@dataclass(frozen=True)
class ChdbSide:
    """One of the two fee tables, to be asked."""

    name: str
    forms: Mapping[str, str]
    session: Any

    def ask(self, sql: str) -> pa.Table:
        """The whole answer."""
        answer = self.session.query(f"{sql} {_SETTINGS}", "ArrowStream").bytes()
        return pa.ipc.open_stream(answer).read_all()


@contextmanager
def opened(folder: Path) -> Iterator[Any]:
    """A chdb session with its files in a folder of its own; closed afterwards."""
    from chdb.session import Session

    session = Session(str(folder))
    try:
        yield session
    finally:
        session.close()


def load(session: Any, files: Path) -> None:
    """Makes the tables, fills them and merges them to the end.

    Args:
        session: a new one.
        files: holds <table>-*.parquet, rows as rows.py makes them.
    """
    for table, (source, columns, key) in _TABLES.items():
        session.query(f"CREATE TABLE {table} ({columns}) ENGINE = MergeTree ORDER BY {key}")
        session.query(
            f"INSERT INTO {table} SELECT * FROM file('{files}/{source}-*.parquet', Parquet)"
        )
        # What background merges would reach in time, and not while others are timed.
        session.query(f"OPTIMIZE TABLE {table} FINAL")


def sides(session: Any) -> list[ChdbSide]:
    """Both orders, as sides for the questions."""
    return [
        ChdbSide(
            name, {q: sql.replace("{fee}", table) for q, sql in sql_chdb.FORMS.items()}, session
        )
        for name, table in FEE_TABLES.items()
    ]


def bytes_of(session: Any, table: str) -> int:
    """Bytes on disk of the fee rows of one table with the prices and rates beside them."""
    wanted = f"'{table}', 'price', 'rate'"
    answer = session.query(
        f"SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table IN ({wanted})", "CSV"
    )
    return int(str(answer).strip())
