"""What the page is given: the answers as facts for its tables and blocks for its charts.

Owns the names that the scripts in page/ read. Called by building.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ccpay_io.board.answers import Answers
from ccpay_io.board.packing import byte_matrix, float_matrix
from ccpay_io.settings import Settings
from ccpay_io.store.datasets import FEEDS

_HOURS, _DAYS, _WEEK = 168, 29, 168
_HOUR_S, _DAY_S = 3600, 86_400


def facts_of(answers: Answers, settings: Settings) -> dict[str, object]:
    """Everything that is shown without a chart, and what the charts' rows and columns are."""
    entities, lines = _rows(answers)
    end = int(answers.now.timestamp())
    return {
        "now": answers.now.isoformat(),
        "published_at": answers.published_at.isoformat() if answers.published_at else None,
        "environment": settings.environment,
        "timezone": settings.board.timezone,
        "fiat": settings.board.fiat,
        "cadences": {feed: settings.feeds.cadence_s(feed) for feed in FEEDS},
        "tables": {
            name: {"columns": table.columns, "rows": table.rows}
            for name, table in answers.tables.items()
        },
        "sql": dict(answers.sql),
        "zones": list(answers.hours),
        "entities": entities.select("coin_id", "chain").rows(),
        "lines": lines.select("entity", "fee_coin_id", "fee_coin").rows(),
        "first_hour": end // _HOUR_S - _HOURS + 1,
        "hours": _HOURS,
        "first_day": end // _DAY_S - _DAYS + 1,
        "days": _DAYS,
    }


def blocks_of(answers: Answers) -> dict[str, bytes]:
    """The series: `fees` has four matrices, `week` two for each time zone."""
    entities, lines = _rows(answers)
    end = int(answers.now.timestamp())
    hourly = _placed(answers.series["fees_hourly"], lines, "hour_no", end // _HOUR_S, _HOURS)
    daily = _placed(answers.series["fees_daily"], lines, "day_no", end // _DAY_S, _DAYS)
    fees = [
        float_matrix(frame["cell"], frame[column], len(lines) * width)
        for frame, width in ((hourly, _HOURS), (daily, _DAYS))
        for column in ("fee_amount", "fee_usd")
    ]
    week = [part for frame in answers.hours.values() for part in _week(frame, entities)]
    return {"fees": b"".join(fees), "week": b"".join(week)}


def _rows(answers: Answers) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Entities are pairs; lines are pairs in one fee coin, each with its place in the matrices."""
    pairs = answers.pairs
    entities = pairs.unique("entity_id", keep="first", maintain_order=True)
    entities = entities.select("entity_id", "coin_id", "chain").with_row_index("entity")
    lines = pairs.join(entities.select("entity_id", "entity"), on="entity_id")
    return entities, lines.sort("entity", "fee_coin_id").with_row_index("line")


def _placed(
    frame: pl.DataFrame, lines: pl.DataFrame, slot: str, last: int, width: int
) -> pl.DataFrame:
    """The rows that are within the matrix, with their cell."""
    column = pl.col(slot) - (last - width + 1)
    keys = ["entity_id", "fee_coin_id"]
    return (
        frame.join(lines.select(*keys, "line"), on=keys)
        .filter(column.is_between(0, width - 1))
        .with_columns(cell=pl.col("line").cast(pl.Int64) * width + column)
    )


def _week(frame: pl.DataFrame, entities: pl.DataFrame) -> tuple[bytes, bytes]:
    slot = (pl.col("iso_dow") - 1) * 24 + pl.col("local_hour")
    placed = frame.join(entities.select("entity_id", "entity"), on="entity_id").with_columns(
        cell=pl.col("entity").cast(pl.Int64) * _WEEK + slot
    )
    size = len(entities) * _WEEK
    return (
        float_matrix(placed["cell"], placed["fee_usd_p50"], size),
        byte_matrix(placed["cell"], placed["sample_count"], size),
    )


def status_of(answers: Answers, settings: Settings) -> dict[str, object]:
    """status.json: the state of things for other programs. Moments, no ages: those are theirs."""
    chains = _records(answers, "chains")
    listed = [chain for chain in chains if chain["status"] != "absent"]
    count = {
        word: sum(chain["status"] == word for chain in chains)
        for word in ("normal", "maintenance", "unknown", "absent")
    }
    return {
        "environment": settings.environment,
        "built_at": answers.now.isoformat(),
        "published_at": answers.published_at.isoformat() if answers.published_at else None,
        "version": answers.version.name if answers.version else None,
        "feeds": [
            {**feed, "cadence_s": settings.feeds.cadence_s(str(feed["feed"]))}
            for feed in _records(answers, "feeds")
        ],
        "chain_count": count,
        "chains_not_normal": [chain for chain in listed if chain["status"] != "normal"],
        "alerts": _records(answers, "alerts"),
    }


def _records(answers: Answers, name: str) -> list[Mapping[str, object]]:
    table = answers.tables[name]
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]
