"""What the board shows, read from one publication in one transaction.

Owns the order of the questions and the form of their answers. Does not know how they are packed or
drawn. Called by building.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import polars as pl

from ccpay_io.board.questions import asked, shown
from ccpay_io.query import json_value
from ccpay_io.settings import Settings
from ccpay_io.store.reading import Version, connect_published, fetch_frame, version_seen

# Small enough to be rows of JSON; amounts stay decimals, as strings.
TABLES = (
    "chains",
    "feeds",
    "alerts",
    "timeline",
    "availability",
    "routes",
    "fiats",
    "movers",
    "spikes",
)
# Too many for that: packed as floats, for charts only.
SERIES = ("fees_hourly", "fees_daily")


@dataclass(frozen=True)
class Table:
    """The answer to a question, as JSON takes it.

    Attributes:
        columns: their names.
        rows: amounts as plain digits, times in ISO 8601.
    """

    columns: list[str]
    rows: list[list[object]]


@dataclass(frozen=True)
class Answers:
    """Everything about one publication.

    Attributes:
        now: the moment for which all was asked.
        version: the published file; None when there is none yet.
        tables: by question.
        series: frames of fees by hour and day, by question.
        pairs: what the entities in these frames are.
        hours: time zone -> frame of the hours of the week.
        sql: question -> the statement as people run it.
    """

    now: datetime
    version: Version | None
    tables: Mapping[str, Table]
    pairs: pl.DataFrame
    series: Mapping[str, pl.DataFrame]
    hours: Mapping[str, pl.DataFrame]
    sql: Mapping[str, str]

    @property
    def published_at(self) -> datetime | None:
        """When the publication was made."""
        return self.version.published_at if self.version else None

    @classmethod
    def nothing(cls, now: datetime) -> Answers:
        """What is known before the first publication."""
        whole, part = pl.Int64, pl.Float64
        keys = {"entity_id": whole, "fee_coin_id": whole}
        fees = {**keys, "fee_amount": part, "fee_usd": part}
        week = {"entity_id": whole, "iso_dow": whole, "local_hour": whole}
        return cls(
            now=now,
            version=None,
            tables={name: Table([], []) for name in TABLES},
            pairs=pl.DataFrame(
                schema={**keys, "coin_id": whole, "chain": pl.String, "fee_coin": pl.String}
            ),
            series={
                "fees_hourly": pl.DataFrame(schema={**fees, "hour_no": whole}),
                "fees_daily": pl.DataFrame(schema={**fees, "day_no": whole}),
            },
            hours={
                "UTC": pl.DataFrame(schema={**week, "sample_count": whole, "fee_usd_p50": part})
            },
            sql={},
        )


def ask_all(settings: Settings, now: datetime) -> Answers:
    """Asks everything of the newest publication.

    Args:
        settings: whose warehouse, and in which time zone hours are shown beside UTC.
        now: the moment that "now" means, in whole seconds.

    Raises:
        NothingPublished: there is no publication yet.
    """
    known: dict[str, object] = {"now": now}
    with connect_published(settings.place) as con:
        # One transaction, so that now() is the same moment in all views; on a lake it is one.
        if settings.lake is None:
            con.execute("BEGIN TRANSACTION")
        con.execute(f"CREATE TEMP TABLE sample AS {asked('sample', known)}")
        known["suspects"] = _table(con, "suspects", known).rows[0][0]
        zones = list(dict.fromkeys(("UTC", settings.board.timezone)))
        return Answers(
            now=now,
            version=version_seen(con),
            tables={name: _table(con, name, known) for name in TABLES},
            pairs=_frame(con, "pairs", known),
            series={name: _frame(con, name, known) for name in SERIES},
            hours={zone: _frame(con, "hours", {**known, "zone": zone}) for zone in zones},
            sql={
                **{name: shown(name, known) for name in (*TABLES, *SERIES)},
                **{f"hours {zone}": shown("hours", {**known, "zone": zone}) for zone in zones},
            },
        )


def _table(con: duckdb.DuckDBPyConnection, name: str, known: Mapping[str, object]) -> Table:
    result = con.execute(asked(name, known))
    columns = [column for column, *_ in result.description or ()]
    return Table(columns, [[json_value(value) for value in row] for row in result.fetchall()])


def _frame(con: duckdb.DuckDBPyConnection, name: str, known: Mapping[str, object]) -> pl.DataFrame:
    return fetch_frame(con, asked(name, known))
