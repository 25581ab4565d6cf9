"""Exact arithmetic as on paper: Python's Decimal with more digits than anything here needs."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

EXACT = Context(prec=120, rounding=ROUND_HALF_UP)
# DECIMAL(38, 12) has 26 digits before the point.
_TOO_LARGE = Decimal("1e26")


def usd(amount: Decimal | None, price: Decimal | None) -> Decimal | None:
    """Amount x price, rounded once, half up, to 12 places; None when unknown or too large."""
    if amount is None or price is None:
        return None
    product = EXACT.quantize(EXACT.multiply(amount, price), Decimal("1e-12"))
    return product if product < _TOO_LARGE else None


def converted(cost: Decimal | None, rate: Decimal | None) -> Decimal | None:
    """Dollars in a fiat; unchanged at a rate of 1, else None beyond 20 digits of dollars."""
    if rate == 1:
        return cost
    return usd(cost, rate) if cost is not None and cost < Decimal("1e20") else None


def change_pct(before: Decimal | None, after: Decimal | None) -> float | None:
    """The relative change in percent; None when there is nothing to compare, or it was nothing."""
    if before is None or after is None or before == 0:
        return None
    change = EXACT.divide(EXACT.multiply(Decimal(100), EXACT.subtract(after, before)), before)
    return float(change)


def weighted_mean(weighted: Iterable[tuple[Decimal, int]]) -> Decimal | None:
    """A mean weighted by time, rounded half up to 18 places; None when nothing has a weight."""
    parts = list(weighted)
    total = sum(weight for _, weight in parts)
    if total <= 0:
        return None
    exact = sum((Fraction(value) * weight for value, weight in parts), Fraction(0)) / total
    return Decimal((exact * 10**18 * 2 + 1) // 2).scaleb(-18, EXACT)
