"""Prices over time, and fees by hour of the week: each hour's fee looked up in the history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from truth.book import Book, Row, once
from truth.fees import answered_stretches, withdraw_fee_history, withdraw_fee_now
from truth.money import EXACT

HOUR = timedelta(hours=1)
WEEKS = timedelta(days=56)


def coin_price_history(book: Book) -> list[Row]:
    """One row per coin and stretch of the same price."""
    return [
        {
            "coin_id": key[0],
            "coin": book.symbols.get(key[0]),
            "price_usd": said.values["price_usd"],
            "valid_from": poll.observed_at,
            "valid_to": end.observed_at if end else None,
            "poll_id": poll.poll_id,
        }
        for key, stretches in answered_stretches(book, "coin_price").items()
        for said, poll, end in stretches
    ]


@once
def fee_by_hour_of_week(book: Book, timezone: str = "UTC") -> list[Row]:
    """What was known of each pair when each hour of the last eight weeks began."""
    samples: dict[tuple[object, ...], list[Decimal]] = {}
    for pair, at, fee in _at_full_hours(book):
        local = at.astimezone(ZoneInfo(timezone))
        samples.setdefault((*pair, local.isoweekday(), local.hour), []).append(fee)
    now = {(r["coin_id"], r["chain"]): r["fee_usd"] for r in withdraw_fee_now(book)}
    rows = []
    for (coin_id, coin, chain, day, hour), fees in samples.items():
        median = _nearest_rank(fees, 50)
        current = now.get((coin_id, chain))
        rows.append(
            {
                "coin_id": coin_id,
                "coin": coin,
                "chain": chain,
                "iso_dow": day,
                "local_hour": hour,
                "sample_count": len(fees),
                "fee_usd_p10": _nearest_rank(fees, 10),
                "fee_usd_p50": median,
                "fee_usd_p90": _nearest_rank(fees, 90),
                "saves_vs_now_usd": None if current is None else EXACT.subtract(current, median),
            }
        )
    medians: dict[tuple[object, ...], list[Decimal]] = {}
    for row in rows:
        medians.setdefault((row["coin_id"], row["chain"]), []).append(row["fee_usd_p50"])
    for row in rows:
        of_pair = medians[row["coin_id"], row["chain"]]
        row["cheapest_rank"] = 1 + sum(median < row["fee_usd_p50"] for median in of_pair)
    return rows


def _at_full_hours(book: Book) -> list[tuple[tuple[object, ...], datetime, Decimal]]:
    """(pair, hour, fee in USD) of each full hour over which a known fee held."""
    good = [s.poll.observed_at for s in book.story("withdraw_fee") if s.is_good]
    found = []
    for row in withdraw_fee_history(book):
        if row["fee_usd"] is None:
            continue
        since = max(row["valid_from"], book.now - WEEKS)
        at = datetime.fromtimestamp(3600 * math.ceil(since.timestamp() / 3600), UTC)
        while at < (row["valid_to"] or max(good)):
            found.append(((row["coin_id"], row["coin"], row["chain"]), at, row["fee_usd"]))
            at += HOUR
    return found


def _nearest_rank(values: Sequence[Decimal], percent: int) -> Decimal:
    return sorted(values)[max(1, math.ceil(percent * len(values) / 100)) - 1]
