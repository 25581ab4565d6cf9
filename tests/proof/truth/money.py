"""Exact arithmetic as on paper: Python's Decimal with more digits than anything here needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Rounded:
    """A ratio for people: shown with so many places, by way of a double."""

    exact: Fraction
    places: int

    @property
    def shown(self) -> Fraction:
        """As it is shown: half away from zero."""
        unit = Fraction(1, 10**self.places)
        size = (abs(self.exact) / unit + Fraction(1, 2)) // 1 * unit
        return size if self.exact > 0 else -size

    def is_shown_as(self, found: object) -> bool:
        """Whether that is this ratio, up to the last bits of a double."""
        if not isinstance(found, float | int) or isinstance(found, bool):
            return False
        allowed = Fraction(501, 1000 * 10**self.places) + abs(self.exact) / 10**9
        return abs(Fraction(found) - self.exact) <= allowed
