"""Fees that are unusually high: every poll beside what was usual for the pair at that hour."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from truth.book import Book, Row
from truth.fees import answered_stretches
from truth.money import EXACT, usd
from truth.story import Key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_WEEK = 168
_MILLION = Decimal(10**6)


@dataclass(frozen=True)
class Seen:
    """A fee at a poll, or at a full hour.

    Attributes:
        hour: counted from 1970; of a poll, the hour that it lies in.
    """

    at: datetime
    hour: int
    amount: Decimal
    coin_id: int
    usd: Decimal


@dataclass(frozen=True)
class Usual:
    """What is usual for a pair as of a full hour: medians with and without what is not calm."""

    hour: int
    plain: Decimal | None
    base: Decimal | None
    calm: Sequence[Seen]


Prices = dict[int, list[tuple[datetime, datetime, Decimal]]]


def fee_spike_event(book: Book) -> list[Row]:
    """One row per pair and time of high fees."""
    prices: Prices = {
        key[0]: sorted(
            (poll.observed_at, _end(end and end.observed_at), said.values["price_usd"])
            for said, poll, end in stretches
        )
        for key, stretches in answered_stretches(book, "coin_price").items()
    }
    samples = _samples(book, prices)
    rows = []
    for key, seen in _polls(book, prices).items():
        names = {"coin_id": key[0], "coin": book.symbols.get(key[0]), "chain": key[1]}
        rows += [{**names, **row} for row in _events(seen, _usual(samples.get(key, [])))]
    return rows


def _end(moment: datetime | None) -> datetime:
    return moment or datetime.max.replace(tzinfo=UTC)


def _worth(prices: Prices, amount: Decimal, coin_id: int, at: datetime) -> Decimal | None:
    """At the price that held; None for what has more than 18 digits, or is worth a million."""
    known = [stretch for stretch in prices.get(coin_id, []) if stretch[0] <= at]
    if not known or known[-1][1] <= at:
        return None
    if any(_digits(x) > 18 for x in (amount, known[-1][2])):
        return None
    value = usd(amount, known[-1][2])
    return value if value is not None and value < _MILLION else None


def _digits(amount: Decimal) -> int:
    whole = EXACT.quantize(amount, Decimal("1e-18"))
    return len(str(whole).rstrip("0").replace(".", "").lstrip("0"))


def _samples(book: Book, prices: Prices) -> dict[Key, list[Seen]]:
    good = [s.poll.observed_at for s in book.story("withdraw_fee") if s.is_good]
    found: dict[Key, list[Seen]] = {}
    for key, stretches in answered_stretches(book, "withdraw_fee").items():
        for said, poll, end in stretches:
            if said.state != "ok":
                continue
            until = end.observed_at if end else max(good)
            for hour in range(_full_hour(poll.observed_at), _full_hour(until)):
                fee = (said.values["fee_amount"], said.values["fee_coin_id"])
                value = _worth(prices, *fee, _EPOCH + hour * _HOUR)
                if value is not None:
                    seen = Seen(_EPOCH + hour * _HOUR, hour, *fee, value)
                    found.setdefault(key, []).append(seen)
    return found


def _full_hour(moment: datetime) -> int:
    return -((_EPOCH - moment) // _HOUR)


def _polls(book: Book, prices: Prices) -> dict[Key, list[Seen]]:
    found: dict[Key, list[Seen]] = {}
    for snapshot in book.story("withdraw_fee"):
        if not snapshot.is_good:
            continue
        at = snapshot.poll.observed_at
        for key, said in snapshot.now.items():
            if said.state == "ok":
                fee = (said.values["fee_amount"], said.values["fee_coin_id"])
                value = _worth(prices, *fee, at)
                if value is not None:
                    found.setdefault(key, []).append(Seen(at, (at - _EPOCH) // _HOUR, *fee, value))
    return found


def _usual(samples: Sequence[Seen]) -> list[Usual]:
    """One per full hour with a sample, in order."""
    plain = {
        hour: _quantile([s.usd for s in samples if hour - _WEEK <= s.hour < hour], 50)
        for hour in sorted({s.hour for s in samples})
    }
    calm = [s for s in samples if _is_calm(s.usd, plain[s.hour])]
    found = []
    for hour, median in plain.items():
        week = [s for s in calm if hour - _WEEK < s.hour <= hour]
        base = _quantile([s.usd for s in week], 50) if len(week) >= 20 else None
        found.append(Usual(hour, median, base, week))
    return found


def _is_calm(value: Decimal, plain: Decimal | None) -> bool:
    return plain is None or value <= 2 * plain


def _quantile(values: Sequence[Decimal], percent: int) -> Decimal | None:
    return sorted(values)[math.ceil(percent * len(values) / 100) - 1] if values else None


def _events(polls: Sequence[Seen], usual: Sequence[Usual]) -> Iterator[Row]:
    calm: dict[int, list[Decimal]] = {}
    judged = []
    for seen in polls:
        known = next((u for u in reversed(usual) if u.hour <= seen.hour), None)
        judged.append((seen, known))
        if _is_calm(seen.usd, known and known.plain):
            calm.setdefault(seen.hour, []).append(seen.usd)
    before: Seen | None = None
    event: Row | None = None
    for seen, known in judged:
        weekly = [v for k in range(1, 5) for v in calm.get(seen.hour - k * _WEEK, [])]
        base = known.base if known else None
        if event and (base is None or seen.usd <= base or seen.usd < base * Decimal("1.2")):
            yield {**_shown(event), "closed_at": seen.at}
            event = None
        is_high = base is not None and _is_high(seen.usd, base, weekly)
        if event:
            event["peak_usd"] = max(event["peak_usd"], seen.usd)
        elif is_high and before and known and base is not None:
            count = len(weekly) if len(weekly) >= 20 else len(known.calm)
            event = {
                "opened_at": seen.at,
                "peak_usd": max(before.usd, seen.usd),
                "baseline_usd": base,
                "cause": _cause(seen, base, known),
                "baseline_sample_count": count,
            }
        before = seen if is_high else None
    if event:
        yield {**_shown(event), "closed_at": None}


def _is_high(value: Decimal, base: Decimal, weekly: Sequence[Decimal]) -> bool:
    p95 = _quantile(weekly, 95) if len(weekly) >= 20 else None
    is_above = value > 2 * base and value >= base + Decimal("0.5")
    return is_above and (p95 is None or value > Decimal("1.5") * p95)


def _cause(seen: Seen, base: Decimal, usual: Usual) -> str:
    amount = _quantile([s.amount for s in usual.calm if s.coin_id == seen.coin_id], 50)
    if not amount:
        return "fee"
    of_amount = seen.amount / amount
    if of_amount < Decimal("1.2"):
        return "price"
    return "fee" if base and seen.usd / base / of_amount < Decimal("1.2") else "both"


def _shown(event: Row) -> Row:
    base = event["baseline_usd"]
    return {**event, "ratio": float(event["peak_usd"] / base) if base else None}
