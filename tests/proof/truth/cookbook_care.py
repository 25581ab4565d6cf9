"""The cookbook's questions about chains, and about how well they and everything are watched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from truth import care, now
from truth.book import Book, Row
from truth.chains import chain_status_now
from truth.fees import withdraw_fee_now
from truth.maintenance import chain_availability_daily, maintenance_episode
from truth.money import Rounded
from truth.ordering import only, ordered

DAY = timedelta(days=1)
_BERLIN = ZoneInfo("Europe/Berlin")
_NOW = (
    chain_status_now,
    withdraw_fee_now,
    now.coin_price_now,
    now.coin_network_now,
    now.swap_coin_now,
    now.fiat_rate_now,
    now.address_validity_now,
    now.cwallet_user_now,
)


def availability_ranking(book: Book) -> list[Row]:
    """Chains over the last 30 full days."""
    today = book.now.astimezone(UTC).date()
    days: dict[str, list[Row]] = {
        row["chain"]: [] for row in chain_status_now(book) if row["status"] != "absent"
    }
    for row in chain_availability_daily(book):
        if row["chain"] in days and today - 30 * DAY <= row["day"] < today:
            days[row["chain"]].append(row)
    rows = []
    for chain, some in days.items():
        normal, down, absent = (
            sum(row[f"{status}_s"] for row in some)
            for status in ("normal", "maintenance", "absent")
        )
        known, span = normal + down + absent, 30 * 86_400
        rows.append(
            {
                "chain": chain,
                "availability_pct": Rounded(Fraction(100 * normal, known), 4) if known else None,
                "coverage_pct": Rounded(Fraction(100 * known, span), 2),
                "maintenance_h": Rounded(Fraction(down, 3600), 2),
                "unknown_h": Rounded(Fraction(span - known, 3600), 2),
                "episode_count": sum(row["episode_count"] for row in some),
            }
        )
    return ordered(rows, "availability_pct", "chain")


def time_to_recover(book: Book) -> list[Row]:
    """Maintenances that began in the last 90 days."""
    found: dict[str, list[Row]] = {}
    for row in maintenance_episode(book):
        if row["started_by"] > book.now - 90 * DAY:
            found.setdefault(row["chain"], []).append(row)
    rows = [
        {
            "chain": chain,
            "episode_count": len(some),
            "open_count": sum(row["is_open"] for row in some),
            "mean_min_s": _mean(_seconds(some, "min_duration_s", ended=True)),
            "mean_max_s": _mean(_seconds(some, "max_duration_s", ended=True)),
            "longest_max_s": max(_seconds(some, "max_duration_s"), default=None),
            "unknown_s": sum(_seconds(some, "unknown_s")),
        }
        for chain, some in found.items()
    ]
    return ordered(rows, "-episode_count", "chain")


def _seconds(rows: list[Row], column: str, *, ended: bool = False) -> list[int]:
    """Whole seconds, as the view shows them."""
    return [
        int(row[column] + 0.5)
        for row in rows
        if row[column] is not None and not (ended and row["is_open"])
    ]


def _mean(seconds: list[int]) -> Rounded | None:
    return Rounded(Fraction(sum(seconds), len(seconds)), 0) if seconds else None


def coverage_gaps(book: Book) -> list[Row]:
    """Days of the last 14 that lack something."""
    since = book.now.astimezone(UTC).date() - 14 * DAY
    columns = ("day", "feed", "planned", "failed", "skipped", "missed", "longest_gap_s")
    rows = [
        only(row, *columns, "top_api_code")
        | {"coverage_pct": Rounded(Fraction(row["coverage_pct"]), 2)}
        for row in care.poll_coverage(book)
        if row["day"] > since and row["coverage_pct"] is not None
    ]
    rows = [row for row in rows if row["coverage_pct"].shown < Fraction("99.9")]
    return ordered(rows, "-day", "coverage_pct", "feed")


def stale_data(book: Book) -> list[Row]:
    """Every view of the present."""
    rows = []
    for view in _NOW:
        shown = view(book)
        moments = [row["observed_at"] for row in shown if row["observed_at"] is not None]
        rows.append(
            {
                "source": view.__name__,
                "row_count": len(shown),
                "stale_count": sum(row["is_stale"] is True for row in shown),
                "oldest_at": min(moments, default=None),
                "newest_at": max(moments, default=None),
            }
        )
    return ordered(rows, "-stale_count", "source")


def contract_drift(book: Book) -> list[Row]:
    """Deviations of 30 days, by place and kind."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in care.contract_drift(book):
        if row["first_seen_at"] > book.now - 30 * DAY:
            key = (row["endpoint"], row["path"], row["kind"])
            found.setdefault(key, []).append(row)
    rows = []
    for key, some in found.items():
        first = min(some, key=lambda row: (row["first_seen_at"], row["value"]))
        rows.append(
            {
                **dict(zip(("endpoint", "path", "kind"), key, strict=True)),
                "value_count": len(some),
                **only(first, "first_seen_at", "sample", example="value"),
            }
        )
    return ordered(rows, "-first_seen_at", "endpoint", "path", "kind")


def maintenance_hours(book: Book) -> list[Row]:
    """Local hours of the day in which maintenances were seen."""
    seen: dict[tuple[str, int], set[tuple[str, datetime]]] = {}
    for row in maintenance_episode(book):
        for moment in _moments(max(row["started_by"], book.now - 90 * DAY), row["ended_after"]):
            local = moment.astimezone(_BERLIN)
            key = (row["chain"], local.hour)
            seen.setdefault(key, set()).add((row["maintenance_id"], local))
    rows = [
        {
            "chain": chain,
            "local_hour": hour,
            "episode_count": len({name for name, _ in some}),
            "day_count": len({local.date() for _, local in some}),
            "last_day": max(local.date() for _, local in some),
        }
        for (chain, hour), some in seen.items()
    ]
    return ordered(rows, "-episode_count", "chain", "local_hour")


def _moments(since: datetime, until: datetime) -> Iterator[datetime]:
    """At least one in each hour that this time touches."""
    if since <= until:
        yield until
    while since < until:
        yield since
        since += timedelta(minutes=30)
