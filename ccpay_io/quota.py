"""The day's requests: how many are left, for what, and when the account's day begins anew.

Owns the arithmetic of the daily budget on a row of the limits file: what is counted, what is kept
back for what matters more, what 11009 teaches. Called by pacing.py inside its transaction.

CCPayment does not say when its daily quota begins anew. The day begins at 00:00 UTC until 11009 was
seen and a question about the chains, one every half an hour, was answered again: that is when the
account's day begins, from then on. What was used before 11009 is what the day holds; each day that
uses that up without another 11009 raises it by a twentieth.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ccpay_io.errors import BudgetExhausted
from ccpay_io.limits_file import Row

DAY_S = 86_400
PROBE_EVERY_S = 1_800.0
RAISE = 1.05
NEARLY = 0.9
# A quota that was used up before this many requests was used up by somebody else.
LEAST_QUOTA = 1_000


class Quota:
    """The budget of one account.

    Args:
        daily_budget: requests allowed per day.
        reserves: for each rank, the requests a second that more important ones need: a request of
            this rank is not made at their cost.
    """

    def __init__(self, daily_budget: int, reserves: tuple[float, ...]) -> None:
        self.daily_budget = daily_budget
        self._reserves = reserves

    def allowed(self, row: Row) -> int:
        """Requests that this day may have: the budget, or the account's quota where it is less."""
        learned = row.known("quota")
        return self.daily_budget if learned is None else min(self.daily_budget, int(learned))

    def used(self, row: Row, now: float) -> int:
        """Requests of this day."""
        return int(row.number("used")) if row.text("day") == _day(row, now) else 0

    def is_exhausted(self, row: Row, now: float) -> bool:
        """Whether the API said that this day's quota is used up."""
        return row.text("quota_day") == _day(row, now)

    def resets_at(self, row: Row, now: float) -> datetime:
        """When the next day begins."""
        return datetime.fromtimestamp(now + _left_of_day(row, now), UTC)

    def room(self, row: Row, now: float, rank: int) -> int:
        """Requests of this rank that may still be made today."""
        reserved = self._reserves[rank] * _left_of_day(row, now)
        # What matters more than everything else may use the last request.
        return max(0, int(self.allowed(row) - self.used(row, now) - reserved))

    def take(self, row: Row, now: float, endpoint: str, rank: int, wanted: int) -> tuple[int, bool]:
        """Counts up to so many requests.

        Returns:
            How many were counted, at least 1, and whether it is the question whether a quota that
            was used up has begun anew.

        Raises:
            BudgetExhausted: none is left for this rank.
        """
        self._begin_day(row, now)
        if self.is_exhausted(row, now):
            if rank or now - row.number("quota_probed_at") < PROBE_EVERY_S:
                raise BudgetExhausted(endpoint, "the account's quota of today is used up")
            row.set(quota_probed_at=now, used=int(row.number("used")) + 1)
            return 1, True
        used, room = int(row.number("used")), self.room(row, now, rank)
        if not room:
            kept = "; the rest is for what matters more" if used < self.allowed(row) else ""
            text = f"{used} of {self.allowed(row)} requests used today{kept}"
            raise BudgetExhausted(endpoint, text)
        count = min(wanted, room)
        row.set(used=used + count)
        return count, False

    def give_back(self, row: Row, now: float, count: int) -> None:
        """Takes back requests that were counted and not made."""
        if row.text("day") == _day(row, now):
            row.set(used=max(0, int(row.number("used")) - count))

    def refused(self, row: Row, now: float) -> None:
        """11009: this day is over for us."""
        if self.is_exhausted(row, now):
            return
        self._begin_day(row, now)
        used = int(row.number("used"))
        learned = used if used >= LEAST_QUOTA else row.known("quota")
        row.set(quota_day=_day(row, now), quota=learned, quota_probed_at=now)

    def began_anew(self, row: Row, now: float) -> None:
        """A quota that was used up has requests again: here the account's day begins."""
        row.set(reset_s=now % DAY_S, quota_day="", used=0)
        row.set(day=_day(row, now))

    def _begin_day(self, row: Row, now: float) -> None:
        day, before = _day(row, now), row.text("day")
        if day == before:
            return
        learned = row.known("quota")
        if learned and row.text("quota_day") != before and row.number("used") >= learned * NEARLY:
            row.set(quota=int(learned * RAISE))
        row.set(day=day, used=0)


def _day(row: Row, now: float) -> str:
    """The name of the account's day: its date where it begins at 00:00 UTC."""
    return datetime.fromtimestamp(now - row.number("reset_s"), UTC).date().isoformat()


def _left_of_day(row: Row, now: float) -> float:
    return DAY_S - (now - row.number("reset_s")) % DAY_S
