"""What one payout would have cost in a month without imported withdrawals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from truth.book import Book, Row
from truth.fees import answered_stretches
from truth.money import EXACT, converted, usd, weighted_mean
from truth.story import Key

# (from, to, value)
Held = tuple[datetime, datetime, Decimal]


def months(book: Book) -> Iterator[tuple[date, datetime, datetime]]:
    """Each month of the configured time zone with polls in it: first day, begin, end."""
    zone = ZoneInfo(book.timezone)
    moments = [poll.observed_at for poll in book.ledger]
    day = min(moments).astimezone(zone).date().replace(day=1)
    while day <= max(moments).astimezone(zone).date():
        after = (day + timedelta(days=32)).replace(day=1)
        begin, end = (datetime(d.year, d.month, 1, tzinfo=zone) for d in (day, after))
        yield day, begin.astimezone(UTC), end.astimezone(UTC)
        day = after


def mean(held: list[Held], begin: datetime, end: datetime) -> tuple[Decimal, int] | None:
    """The mean weighted by the time in this month, half up to 18 places, and that time in us."""
    parts = [
        (value, (min(until, end) - max(since, begin)) // timedelta.resolution)
        for since, until, value in held
        if since < end and until > begin
    ]
    found = weighted_mean(parts)
    return None if found is None else (found, sum(weight for _, weight in parts))


def held(book: Book, name: str, column: str, by: str | None) -> dict[Key, list[Held]]:
    """When each value was known to hold, by entity and one more column of it."""
    good = [snapshot.poll.observed_at for snapshot in book.story(name) if snapshot.is_good]
    found: dict[Key, list[Held]] = {}
    for key, stretches in answered_stretches(book, name).items():
        for said, poll, end in stretches:
            if said.state == "ok":
                whose = (*key, said.values[by]) if by else key
                until = end.observed_at if end else max(good)
                found.setdefault(whose, []).append((poll.observed_at, until, said.values[column]))
    return found


def estimates(book: Book, fiat: str) -> list[Row]:
    """One row per month and coin that somebody asks about."""
    fees = held(book, "withdraw_fee", "fee_amount", "fee_coin_id")
    prices = held(book, "coin_price", "price_usd", None)
    rates = [one for key, some in held(book, "fiat", "usd_rate", "fiat").items()
             if key[1] == fiat for one in some]  # fmt: skip
    rows = []
    for month, begin, end in months(book):
        means = {whose: mean(some, begin, end) for whose, some in fees.items()}
        worth = {coin: mean(some, begin, end) for (coin,), some in prices.items()}
        rate = mean(rates, begin, end)
        factor = Decimal(1) if fiat == "USD" else rate[0] if rate else None
        for coin_id, default in _asked(book):
            routes = _routes({k: m for k, m in means.items() if k[0] == coin_id}, worth)
            chosen = _chosen(routes, default)
            if chosen:
                chain, fee, cheapest = chosen
                rows.append(
                    {
                        "month": month,
                        "coin_id": coin_id,
                        "coin": book.symbols.get(coin_id),
                        "chain": chain,
                        "fiat": fiat,
                        **_costs(converted(fee, factor), converted(cheapest, factor)),
                    }
                )
    return rows


def _costs(fee: Decimal | None, cheapest: Decimal | None) -> Row:
    is_known = fee is not None and cheapest is not None
    return {
        "withdrawal_count": None,
        "payout_amount": None,
        "fee": fee,
        "avg_fee": fee,
        "cheapest_possible": cheapest,
        "avoidable": EXACT.subtract(fee, cheapest) if is_known else None,
        "is_estimate": True,
        "valued_count": None,
        "compared_count": None,
    }


def _asked(book: Book) -> list[tuple[int, str | None]]:
    """The coins that are watched or have a default route, with that; all when none is."""
    coins = {key[0] for snapshot in book.story("withdraw_fee") for key in snapshot.now}
    defaults = {name: chain for kind, name, chain in book.watched if kind == "default_route"}
    named = {name for kind, name, _ in book.watched if kind in ("coin", "default_route")}
    return [
        (coin_id, defaults.get(book.symbols.get(coin_id, "")))
        for coin_id in coins
        if not named or book.symbols.get(coin_id) in named
    ]


def _routes(
    means: dict[Key, tuple[Decimal, int] | None], worth: dict[int, tuple[Decimal, int] | None]
) -> dict[str, tuple[Decimal, int]]:
    """Chain -> mean fee in dollars and for how long it was known; over all its fee coins."""
    parts: dict[str, list[tuple[Decimal, int]]] = {}
    for (_, chain, fee_coin_id), known in means.items():
        price = worth.get(fee_coin_id)
        cost = usd(known[0], price[0]) if known and price else None
        if known and cost is not None and cost < Decimal("1e20"):
            parts.setdefault(chain, []).append((cost, known[1]))
    routes = {}
    for chain, some in parts.items():
        found = weighted_mean(some)
        if found is not None:
            fee = EXACT.quantize(found, Decimal("1e-12"))
            routes[chain] = (fee, sum(weight for _, weight in some))
    return routes


def _chosen(
    routes: dict[str, tuple[Decimal, int]], default: str | None
) -> tuple[str, Decimal, Decimal] | None:
    """The route taken, its fee, and the cheapest of those known half as long as the best known."""
    longest = max((known for _, known in routes.values()), default=0)
    known = {c: fee for c, (fee, lasted) in routes.items() if 2 * lasted >= longest}
    if default is None:
        default = min(known, key=lambda chain: (known[chain], chain), default=None)
    if default is None or default not in routes:
        return None
    fee = routes[default][0]
    return default, fee, min(fee, *known.values())
