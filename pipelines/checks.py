"""Checks of the published data: not empty, not suddenly fewer rows, few unknown, fresh.

Owns thresholds and wording. Each asset has one check step with three or four results; they read the
publication, so what they judge is what analysts see. Called by Dagster after each poll, or by hand.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import dagster as dg
import polars as pl

from ccpay_io.errors import NothingPublished
from pipelines.assets.spec import key_of
from pipelines.feeds import FEEDS, Feed
from pipelines.resources import WarehouseResource

ROW_FLOOR = 0.8
UNKNOWN_CEILING = 0.05


class Count(NamedTuple):
    """Entities of one poll: with an answer, and asked for."""

    answered: int
    asked: int


@dataclass(frozen=True)
class Verdict:
    """One check's answer: passed or not, and the numbers behind it."""

    passed: bool
    text: str
    metadata: dict[str, int | float]


def not_empty(feed: Feed, frame: pl.DataFrame, counts: Sequence[Count]) -> Verdict:
    """The view has rows (a watch list may be empty)."""
    rows = len(frame)
    return Verdict(rows > 0 or feed.may_be_empty, f"{rows} rows", {"rows": rows})


def row_floor(feed: Feed, frame: pl.DataFrame, counts: Sequence[Count]) -> Verdict:
    """The last poll covered at least 80 % of the entities that the one before did."""
    rows, before = (*(count.asked for count in counts), 0, 0)[:2]
    if len(counts) < 2:
        return Verdict(True, "there is no earlier poll to compare with", {"rows": rows})
    text = f"{rows} entities, {before} in the poll before"
    return Verdict(rows >= ROW_FLOOR * before, text, {"rows": rows, "before": before})


def answer_floor(feed: Feed, frame: pl.DataFrame, counts: Sequence[Count]) -> Verdict:
    """The last poll got an answer for at least 80 % of the entities that it asked for."""
    answered, asked = counts[0] if counts else Count(0, 0)
    text = f"{answered} of {asked} entities have an answer"
    return Verdict(answered >= ROW_FLOOR * asked, text, {"answered": answered, "asked": asked})


def few_unknown(feed: Feed, frame: pl.DataFrame, counts: Sequence[Count]) -> Verdict:
    """At most 5 % of the rows have no answer in the last poll."""
    unknown = len(frame.filter(pl.col(feed.state or "") == "unknown"))
    share = unknown / len(frame) if len(frame) else 0.0
    text = f"{unknown} of {len(frame)} rows are unknown"
    return Verdict(share <= UNKNOWN_CEILING, text, {"unknown": unknown, "share": share})


def fresh(feed: Feed, frame: pl.DataFrame, counts: Sequence[Count]) -> Verdict:
    """The youngest row is at most three cadences old."""
    rows = frame.filter(~pl.col("is_stale"))
    youngest = frame["data_age_s"].min()
    text = "no rows" if youngest is None else f"the youngest answer is {youngest} s old"
    passed = len(rows) > 0 or frame.is_empty()
    return Verdict(passed, text, {"fresh_rows": len(rows), "rows": len(frame)})


Check = Callable[[Feed, pl.DataFrame, Sequence[Count]], Verdict]


def checks_of(feed: Feed) -> dict[str, Check]:
    """The checks of an asset, by name."""
    checks: dict[str, Check] = {"not_empty": not_empty, "fresh": fresh}
    if feed.by_need:
        checks["answer_floor"] = answer_floor
    else:
        checks["row_floor"] = row_floor
    if feed.state:
        checks["few_unknown"] = few_unknown
    return checks


def feed_checks(feed: Feed) -> dg.AssetChecksDefinition:
    """The check step of a feed's asset."""
    key = key_of(feed.asset)
    checks = checks_of(feed)
    specs = [
        dg.AssetCheckSpec(name, asset=key, description=check.__doc__)
        for name, check in checks.items()
    ]

    @dg.multi_asset_check(name=f"check_{feed.asset}", specs=specs)
    def check(
        context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult]:
        frame = _published(feed, warehouse)
        counts = last_counts(context.instance, key)
        for name, judge in checks.items():
            verdict = judge(feed, frame, counts)
            yield dg.AssetCheckResult(
                check_name=name,
                asset_key=key,
                passed=verdict.passed,
                severity=_severity(name),
                description=verdict.text,
                metadata=verdict.metadata,
            )

    return check


def last_counts(instance: dg.DagsterInstance, key: dg.AssetKey) -> list[Count]:
    """Entities of the last two materializations, the youngest first."""
    records = instance.fetch_materializations(key, limit=2).records
    events = [r.asset_materialization for r in records if r.asset_materialization]
    return [_count(event) for event in events]


def _count(event: dg.AssetMaterialization) -> Count:
    answered = _number(event, "dagster/row_count")
    return Count(answered, answered + _number(event, "unknown"))


def _number(event: dg.AssetMaterialization, name: str) -> int:
    value = event.metadata.get(name)
    return int(str(value.value)) if value else 0


def _published(feed: Feed, warehouse: WarehouseResource) -> pl.DataFrame:
    """The view; without rows before the first publication."""
    try:
        return warehouse.read(feed.view)
    except NothingPublished:
        schema = {"is_stale": pl.Boolean, "data_age_s": pl.Int64, "status": pl.String}
        return pl.DataFrame(schema={**schema, "state": pl.String})


def _severity(name: str) -> dg.AssetCheckSeverity:
    """Unknown answers are told as a warning: they are stored as what they are."""
    warns = name in ("answer_floor", "few_unknown", "fresh")
    return dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR


all_checks = [feed_checks(feed) for feed in FEEDS.values()]
