"""What imported withdrawals cost, and what the cheapest usable route of their moment would have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from truth.asof import last_by
from truth.book import Book, Row, Withdrawal, once
from truth.estimates import estimates
from truth.fees import priced
from truth.money import EXACT, converted, usd
from truth.story import Key, Said


@dataclass(frozen=True)
class Valued:
    """A withdrawal with what it cost in US dollars, and what it could have cost."""

    made: Withdrawal
    fee_usd: Decimal | None
    cheapest_usd: Decimal | None


def month_of(book: Book, moment: datetime) -> date:
    """The first day of the month in the configured time zone."""
    return moment.astimezone(ZoneInfo(book.timezone)).date().replace(day=1)


def _worth(book: Book, amount: Decimal, coin_id: int, moment: datetime) -> Decimal | None:
    """A fee at the price known at the moment; what is free costs nothing, price or not."""
    if amount == 0:
        return Decimal(0)
    price, _, is_stale = priced(book, coin_id, moment) or (None, 0.0, True)
    return None if is_stale else usd(amount, price)


def _quotes(book: Book, moment: datetime) -> dict[Key, Said]:
    """The fees as the last poll left them, if a good one is not older than three cadences."""
    story = book.story("withdraw_fee")
    good = last_by([snapshot for snapshot in story if snapshot.is_good], moment)
    last = last_by(story, moment)
    if good is None or last is None:
        return {}
    if moment - good.poll.observed_at > 3 * timedelta(seconds=good.poll.cadence_s):
        return {}
    return {key: said for key, said in last.now.items() if said.is_answer and said.state == "ok"}


def _is_usable(book: Book, key: Key, amount: Decimal, moment: datetime) -> bool:
    """Whether nothing that was known then forbade to pay this amount out on this route."""
    chains = last_by(book.story("chain"), moment)
    chain = chains.now.get((key[1],)) if chains else None
    if chain is not None and chain.state != "normal":
        return False
    lists = last_by(book.story("coin_network"), moment)
    network = lists.answered.get(key) if lists else None
    if network is None or network.state != "ok":
        return True
    low, high = (network.values[f"{m}_withdraw_amount"] for m in ("min", "max"))
    return (
        network.values["can_withdraw"] is not False
        and (low is None or amount >= low)
        and (high is None or high == 0 or amount <= high)
    )


def value(book: Book, made: Withdrawal) -> Valued:
    """One withdrawal."""
    quotes = _quotes(book, made.at)
    costs = {
        key: _worth(book, said.values["fee_amount"], said.values["fee_coin_id"], made.at)
        for key, said in quotes.items()
        if key[0] == made.coin_id
    }
    if made.fee_amount is None:
        paid = costs.get((made.coin_id, made.chain))
    else:
        assert made.fee_coin_id is not None
        paid = _worth(book, made.fee_amount, made.fee_coin_id, made.at)
    possible = [
        cost
        for key, cost in costs.items()
        if cost is not None and _is_usable(book, key, made.amount, made.at)
    ]
    # What was paid was possible.
    cheapest = None if paid is None or not possible else min(paid, *possible)
    return Valued(made, paid, cheapest)


def _rate_at(book: Book, fiat: str, moment: datetime) -> Decimal | None:
    """The rate known then, if it was confirmed within three cadences."""
    if fiat == "USD":
        return Decimal(1)
    rate: Decimal | None = None
    confirmed, cadence = moment, 0
    for snapshot in book.story("fiat"):
        if snapshot.poll.observed_at > moment:
            break
        for said in snapshot.now.values():
            if snapshot.is_good and said.values.get("fiat") == fiat:
                rate = said.values["usd_rate"]
                confirmed, cadence = snapshot.poll.observed_at, snapshot.poll.cadence_s
    return rate if moment - confirmed <= 3 * timedelta(seconds=cadence) else None


@once
def withdrawal_cost_in(book: Book, fiat: str) -> list[Row]:
    """Real costs of months with withdrawals, estimates of the others."""
    fiat = fiat.upper()
    groups: dict[tuple[date, int, str], list[Valued]] = {}
    for made in book.withdrawals:
        key = (month_of(book, made.at), made.coin_id, made.chain)
        groups.setdefault(key, []).append(value(book, made))
    rows = [
        {
            **dict(zip(("month", "coin_id", "chain"), key, strict=True)),
            "coin": book.symbols.get(key[1]),
            "fiat": fiat,
            **_summed(book, fiat, group),
        }
        for key, group in groups.items()
    ]
    months = {month for month, _, _ in groups}
    return rows + [row for row in estimates(book, fiat) if row["month"] not in months]


def _summed(book: Book, fiat: str, group: list[Valued]) -> Row:
    rates = [_rate_at(book, fiat, one.made.at) for one in group]
    fees = [converted(one.fee_usd, rate) for one, rate in zip(group, rates, strict=True)]
    least = [converted(one.cheapest_usd, rate) for one, rate in zip(group, rates, strict=True)]
    known = [fee for fee in fees if fee is not None]
    both = [(f, c) for f, c in zip(fees, least, strict=True) if f is not None and c is not None]
    total = _sum(known, Decimal("1e26"))
    mean = None if total is None else EXACT.divide(total, Decimal(len(known)))
    return {
        "withdrawal_count": len(group),
        "payout_amount": _sum([one.made.amount for one in group], Decimal("1e20")),
        "fee": total,
        "avg_fee": None if mean is None else EXACT.quantize(mean, Decimal("1e-12")),
        "cheapest_possible": _sum([cheapest for _, cheapest in both], Decimal("1e26")),
        "avoidable": _sum([EXACT.subtract(f, c) for f, c in both], Decimal("1e26")),
        "is_estimate": any(
            fee is None or one.made.fee_amount is None for fee, one in zip(fees, group, strict=True)
        ),
        "valued_count": len(known),
        "compared_count": len(both),
    }


def _sum(amounts: list[Decimal], limit: Decimal) -> Decimal | None:
    """An exact sum; None of nothing, and of what does not fit."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total if amounts and total < limit else None


def withdrawal_cost_monthly(book: Book) -> list[Row]:
    """The same in US dollars, under the names of the view."""
    names = {name: f"{name}_usd" for name in ("fee", "avg_fee", "cheapest_possible", "avoidable")}
    return [
        {names.get(column, column): found for column, found in row.items() if column != "fiat"}
        for row in withdrawal_cost_in(book, "USD")
    ]
