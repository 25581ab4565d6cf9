"""The cookbook's questions about what fees were and have become."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from truth.asof import withdraw_fee_as_of, withdraw_fee_in, withdraw_fee_quantile
from truth.book import Book, Row
from truth.fees import withdraw_fee_history, withdraw_fee_now
from truth.hours import coin_price_history, fee_by_hour_of_week
from truth.money import Rounded
from truth.now import coin_price_now
from truth.ordering import only, ordered

DAY = timedelta(days=1)


def holding(rows: list[Row], moment: datetime) -> list[Row]:
    """The stretches that a moment lies in."""
    return [
        row
        for row in rows
        if row["valid_from"] <= moment and (row["valid_to"] is None or row["valid_to"] > moment)
    ]


def fee_history(book: Book) -> list[Row]:
    """USDT on TRX, as far as it held in the last 30 days."""
    columns = ("coin_id", "valid_from", "valid_to", "state", "refusal_code")
    rows = [
        only(row, *columns, "fee_amount", "fee_coin", "fee_usd")
        for row in withdraw_fee_history(book)
        if (row["coin"], row["chain"]) == ("USDT", "TRX")
        and (row["valid_to"] is None or row["valid_to"] > book.now - 30 * DAY)
    ]
    return ordered(rows, "coin_id", "valid_from")


def change(then: Decimal, now: Decimal) -> Rounded | None:
    """In percent; None when it was nothing."""
    return Rounded(100 * (Fraction(now) / Fraction(then) - 1), 2) if then else None


def fee_or_price(book: Book) -> list[Row]:
    """What moved the cost of USDT in a week."""
    week_ago = book.now - 7 * DAY
    fees = {(r["coin_id"], r["chain"]): r for r in holding(withdraw_fee_history(book), week_ago)}
    prices = {r["coin_id"]: r["price_usd"] for r in holding(coin_price_history(book), week_ago)}
    prices_now = {r["coin_id"]: r["price_usd"] for r in coin_price_now(book)}
    rows = []
    for now in withdraw_fee_now(book):
        then = fees.get((now["coin_id"], now["chain"]))
        coin_id = now["fee_coin_id"]
        if now["coin"] != "USDT" or now["state"] != "ok" or then is None:
            continue
        if then["fee_coin_id"] == coin_id and coin_id in prices and coin_id in prices_now:
            moved = _moved(
                then["fee_amount"], now["fee_amount"], prices[coin_id], prices_now[coin_id]
            )
            rows.append(only(now, "coin_id", "chain", "fee_coin") | moved)
    rows = ordered(rows, "coin_id", "chain")
    return sorted(rows, key=lambda row: _size(row["cost_change_pct"]), reverse=True)


def _size(moved: Rounded | None) -> tuple[bool, Fraction]:
    """What was nothing before has moved most."""
    return (True, Fraction()) if moved is None else (False, abs(moved.shown))


def _moved(fee: Decimal, fee_now: Decimal, price: Decimal, price_now: Decimal) -> Row:
    cost, cost_now = Fraction(fee) * Fraction(price), Fraction(fee_now) * Fraction(price_now)
    return {
        "fee_then": fee,
        "fee_now": fee_now,
        "price_then": price,
        "price_now": price_now,
        "fee_change_pct": change(fee, fee_now),
        "price_change_pct": change(price, price_now),
        "cost_change_pct": Rounded(100 * (cost_now / cost - 1), 2) if cost else None,
        "cause": _cause(fee, fee_now, price, price_now) if cost or cost_now else "none",
    }


def _cause(fee: Decimal, fee_now: Decimal, price: Decimal, price_now: Decimal) -> str:
    if (fee, price) == (fee_now, price_now):
        return "none"
    factors = []
    for pair in ((fee, fee_now), (price, price_now)):
        low, high = (Fraction(value) for value in sorted(pair))
        # (infinitely much, factor)
        factors.append((low == 0 != high, high / low if low else Fraction(1)))
    return "fee" if factors[0] >= factors[1] else "price"


def cheapest_hour(book: Book) -> list[Row]:
    """USDT on ETH by hour of the week in Berlin."""
    rows = [
        {column: found for column, found in row.items() if column not in ("coin", "chain")}
        for row in fee_by_hour_of_week(book, "Europe/Berlin")
        if (row["coin"], row["chain"]) == ("USDT", "ETH")
    ]
    for row in rows:
        del row["fee_usd_p10"]
    return ordered(rows, "coin_id", "cheapest_rank", "iso_dow", "local_hour")


def movers_24h(book: Book) -> list[Row]:
    """The twenty fees that moved most in a day."""
    rows = []
    for now in withdraw_fee_now(book):
        before, after = now["fee_amount_24h_ago"], now["fee_amount"]
        if before is not None and before != after:
            fee = {"fee_then": before, "fee_now": after, "change_pct": change(before, after)}
            rows.append(only(now, "coin_id", "coin", "chain", "fee_coin", "fee_usd") | fee)
    rows = ordered(rows, "coin_id", "chain")
    return sorted(rows, key=lambda row: _size(row["change_pct"]), reverse=True)[:20]


def fee_percentile(book: Book) -> list[Row]:
    """The fee that was not exceeded for nine tenths of the known time of 90 days."""
    last = max((s.poll.observed_at for s in book.story("withdraw_fee") if s.is_good), default=None)
    held: dict[tuple[object, ...], list[tuple[Decimal, int]]] = {}
    for row in withdraw_fee_history(book):
        lasted = (row["valid_to"] or last) - max(row["valid_from"], book.now - 90 * DAY)
        if row["state"] == "ok" and lasted > timedelta():
            key = tuple(row[c] for c in ("coin_id", "coin", "chain", "fee_coin_id", "fee_coin"))
            held.setdefault(key, []).append((row["fee_amount"], lasted // timedelta.resolution))
    rows = []
    for key, fees in held.items():
        total = sum(lasted for _, lasted in fees)
        names = ("coin_id", "coin", "chain", "fee_coin_id", "fee_coin")
        rows.append(
            {
                **dict(zip(names, key, strict=True)),
                "fee_p90": _not_exceeded(fees, Fraction(9, 10) * total),
                "fee_max": max(fee for fee, _ in fees),
                "known_days": Rounded(Fraction(total, 86_400 * 10**6), 2),
            }
        )
    return ordered(rows, "coin", "coin_id", "chain", "fee_coin_id")


def _not_exceeded(fees: list[tuple[Decimal, int]], enough: Fraction) -> Decimal:
    reached = 0
    for fee, lasted in sorted(fees):
        reached += lasted
        if reached >= enough:
            return fee
    raise AssertionError


def fee_in_euro(book: Book) -> list[Row]:
    """USDT on TRX, change by change."""
    rows = [
        only(
            row,
            *("coin_id", "valid_from", "valid_to", "fee_amount", "fee_coin"),
            fee_eur="fee_fiat",
            reason="fee_fiat_reason",
        )
        for row in withdraw_fee_in(book, "EUR")
        if (row["coin"], row["chain"]) == ("USDT", "TRX")
    ]
    return ordered(rows, "coin_id", "valid_from")


def fees_as_of(book: Book) -> list[Row]:
    """USDT as it was known a week ago."""
    columns = ("coin_id", "chain", "state", "fee_amount", "fee_coin", "refusal_code")
    rows = [
        only(row, *columns, "unknown_reason", "observed_at")
        for row in withdraw_fee_as_of(book, book.now - 7 * DAY)
        if row["coin"] == "USDT"
    ]
    return ordered(rows, "coin_id", "chain")


def usual_fee(book: Book) -> list[Row]:
    """The median and the 95th percentile of USDT on each chain."""
    keys = ("coin_id", "chain", "fee_coin_id")
    high = {
        tuple(row[key] for key in keys): row["fee_amount"]
        for row in withdraw_fee_quantile(book, Fraction(95, 100))
    }
    rows = [
        only(row, *keys, "fee_coin", usual_fee="fee_amount")
        | {
            "high_fee": high[tuple(row[key] for key in keys)],
            "known_days": Rounded(Fraction(int(row["known_s"] + 0.5), 86_400), 2),
        }
        for row in withdraw_fee_quantile(book, Fraction(1, 2))
        if row["coin"] == "USDT"
    ]
    return ordered(rows, *keys)
