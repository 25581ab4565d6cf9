"""How fast, how often per day, and whether at all: one pace for all processes of an account.

Owns the pace that adapts to what the API tolerates, who goes first, and the breaker that 11014
trips. The file behind it is limits_file.py, the day's budget quota.py. Does not send anything.
Called by the client before and after each request, by doctor for status and re-arming.

The pace rises while requests that had to wait for it are answered; a refusal (11004, 429) halves it
for about a second, after which it goes on at 95 % of the pace that was refused and tries a higher
one only rarely. Refusals in quick succession mean that the limit is far below: each counts double.

The chains go first, then lists and prices, then fees and payees. Of the last, each process has one
request at a time in the shared queue, so that what goes first never waits behind a sweep.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ccpay_io.errors import ApiError, BreakerOpen, BudgetExhausted, Policy
from ccpay_io.limits_file import LimitsFile, Row
from ccpay_io.quota import Quota

START_RPS = 10.0
CEILING_RPS = 50.0
LOWEST_RPS = 0.2
# Requests per second, per answered request: 10 % a second. Servers allow bursts: whoever rises
# faster is far above the limit before the first refusal tells.
RISE = 0.1
# Once a ceiling has been learned: one careful step above it per minute of answers.
PROBE_EVERY_S = 60.0
PROBE_STEP = 1.05
BACK_TO = 0.95
BACK_TO_AT_LEAST = 0.5
SOON_S = 5.0
HALVED_FOR_S = 1.0
# A server may ask for any pause; one of a day would be a mistake of somebody's.
LONGEST_HOLD_S = 600.0
# Nobody sleeps longer at a stretch: what changed meanwhile (a ban, the clock) is looked at again.
LONGEST_SLEEP_S = 60.0
# Slots that lie closer together than this are taken at once: above 50 requests a second the file
# would cost more than the requests.
AT_ONCE_S = 0.02

_FEES = 2
_RANKS = {
    "getChainList": 0,
    "getFiatList": 1,
    "getSwapCoinList": 1,
    "getCoinList": 1,
    "getCoinUSDTPrice": 1,
}


@dataclass(frozen=True)
class PacerStatus:
    """What the limits file says now.

    Attributes:
        rate_rps: pace in requests per second.
        highest_rps: the pace that is never exceeded: as set, or as learned where that is lower.
        learned_ceiling_rps: highest pace that was not refused; None while nothing was refused.
        used_today: requests since the account's day began.
        daily_budget: requests allowed per day: the budget, or the account's quota where it is less.
        resets_at: when the next day begins; 00:00 UTC until the API showed another time.
        quota_exhausted: whether the API said (11009) that today's quota is used up.
        breaker_since: when 11014 was seen; None when calls are allowed.
        left_for_fees: requests that fees may still have today, without what is kept for the rest.
    """

    rate_rps: float
    highest_rps: float
    learned_ceiling_rps: float | None
    used_today: int
    daily_budget: int
    resets_at: datetime
    quota_exhausted: bool
    breaker_since: datetime | None
    left_for_fees: int


class Pacer:
    """The pace of one account on this machine.

    Args:
        path: the limits file, shared by all processes.
        credentials_key: what identifies the account; only a hash of it is stored.
        daily_budget: requests allowed per day.
        reserves: requests a second that the chains need, and that lists and prices need.
        start_rps: pace before anything is known.
        ceiling_rps: pace that is never exceeded.
        now: seconds since the epoch.
        sleep: how to wait.
    """

    def __init__(
        self,
        path: Path,
        *,
        credentials_key: str,
        daily_budget: int,
        reserves: tuple[float, float] = (0.0, 0.0),
        start_rps: float = START_RPS,
        ceiling_rps: float = CEILING_RPS,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._file = LimitsFile(path, credentials_key, min(start_rps, ceiling_rps), now)
        self._quota = Quota(daily_budget, (0.0, reserves[0], sum(reserves)))
        self._ceiling = ceiling_rps
        self._now, self._sleep = now, sleep
        self._slots: deque[float] = deque()
        self._answers = 0
        self._asks_for_reset = False
        self._turns: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    async def acquire(self, endpoint: str) -> None:
        """Counts this request and waits for its slot.

        Raises:
            BreakerOpen: 11014 was seen, perhaps while waiting, and nobody has re-armed yet.
            BudgetExhausted: today's budget, or the account's quota, is used up.
            WarehouseError: the limits file cannot be used.
        """
        rank = _RANKS.get(endpoint, _FEES)
        if rank < _FEES:
            await self._wait(endpoint, self._reserve(endpoint, rank, 1)[0])
            return
        async with self._turn():
            if not (self._slots and self._slots[0] > self._now() - AT_ONCE_S):
                self._slots.extend(self._reserve(endpoint, rank, self._at_once()))
            await self._wait(endpoint, self._slots.popleft())

    def answered(self) -> None:
        """A request was answered: the pace may rise, if it is what requests wait for."""
        self._answers += 1

    def failed(self, error: ApiError) -> None:
        """A request failed: the pace, the budget or the breaker may have to change."""
        if isinstance(error, BreakerOpen | BudgetExhausted):
            return
        now = self._now()
        if error.is_answer:
            self.answered()
        elif error.policy is Policy.SLOW_DOWN:
            with self._file.row() as row:
                self._settle(row)
                self._refused(row, now, error.retry_after_s)
        elif error.policy is Policy.WAIT_TOMORROW:
            with self._file.row() as row:
                self._settle(row)
                self._quota.refused(row, now)
        elif error.policy is Policy.STOP_EVERYTHING:
            with self._file.row(durable=True) as row:
                self._settle(row)
                row.set(breaker_since=now)

    def rearm(self) -> None:
        """Closes the breaker: requests are allowed again."""
        with self._file.row(durable=True) as row:
            row.set(breaker_since=None)

    def settle(self) -> None:
        """Tells the file what this process knows: its answers, and slots that it did not use."""
        if self._slots or self._answers:
            with self._file.row() as row:
                self._settle(row)

    def status(self) -> PacerStatus:
        """What the limits file says now."""
        now = self._now()
        with self._file.row() as row:
            self._settle(row)
            since, learned = row.known("breaker_since"), row.known("learned")
            return PacerStatus(
                rate_rps=min(self._ceiling, row.number("rate")),
                highest_rps=min(self._ceiling, learned or self._ceiling),
                learned_ceiling_rps=learned,
                used_today=self._quota.used(row, now),
                daily_budget=self._quota.allowed(row),
                resets_at=self._quota.resets_at(row, now),
                quota_exhausted=self._quota.is_exhausted(row, now),
                breaker_since=None if since is None else datetime.fromtimestamp(since, UTC),
                left_for_fees=self._quota.room(row, now, _FEES),
            )

    def _turn(self) -> asyncio.Lock:
        """Held by the one of this process's requests of the last rank that is in the queue now."""
        loop = asyncio.get_running_loop()
        if self._turns is None or self._turns[0] is not loop:
            self._turns = (loop, asyncio.Lock())
        return self._turns[1]

    def _at_once(self) -> int:
        """How many slots to take, when a process needs them one after the other."""
        return max(1, int(self._ceiling * AT_ONCE_S))

    def _reserve(self, endpoint: str, rank: int, wanted: int) -> list[float]:
        """Counts requests and takes the next slots; returns their times."""
        now = self._now()
        with self._file.row() as row:
            self._settle(row)
            self._refuse_if_banned(endpoint, row)
            wanted = min(wanted, max(1, int(self._pace_at(row, now) * AT_ONCE_S)))
            count, self._asks_for_reset = self._quota.take(row, now, endpoint, rank, wanted)
            return [self._take_slot(row) for _ in range(count)]

    async def _wait(self, endpoint: str, slot: float) -> None:
        while (wait := slot - self._now()) > 0:
            await self._sleep(min(wait, LONGEST_SLEEP_S))
            if wait > AT_ONCE_S:
                slot = self._still(endpoint, slot)

    def _still(self, endpoint: str, slot: float) -> float:
        """The slot that this request has now, after some sleep; a later one after a refusal."""
        now = self._now()
        with self._file.row() as row:
            self._refuse_if_banned(endpoint, row)
            if self._quota.is_exhausted(row, now) and not self._asks_for_reset:
                raise BudgetExhausted(endpoint, "the account's quota of today is used up")
            if row.number("hold_until") > now:
                return self._take_slot(row)
            # No slot lies behind the next free one, unless the clock was set back meanwhile.
            return min(slot, row.number("next_slot"))

    def _refuse_if_banned(self, endpoint: str, row: Row) -> None:
        if row.known("breaker_since") is not None:
            raise BreakerOpen(endpoint)

    def _take_slot(self, row: Row) -> float:
        now = self._now()
        slot = max(now, row.number("hold_until"), row.number("next_slot"))
        following = slot + 1 / self._pace_at(row, slot)
        row.set(next_slot=following, seen_at=now, pressed=int(slot > now))
        return slot

    def _pace_at(self, row: Row, moment: float) -> float:
        """Half the pace for a moment after a refusal, else the pace."""
        held, rate = row.number("hold_until"), row.number("rate")
        pace = rate / 2 if held <= moment < held + HALVED_FOR_S else rate
        return min(self._ceiling, max(LOWEST_RPS, pace))

    def _settle(self, row: Row) -> None:
        """Brings what this process knows into the row: unused slots, answers, a day begun anew."""
        now = self._now()
        if self._slots:
            self._quota.give_back(row, now, len(self._slots))
            self._slots.clear()
        answers, self._answers = self._answers, 0
        if answers and self._asks_for_reset and self._quota.is_exhausted(row, now):
            self._quota.began_anew(row, now)
        if answers and now >= row.number("hold_until") + HALVED_FOR_S and row.number("pressed"):
            self._rise(row, now, answers)

    def _rise(self, row: Row, now: float, answers: int) -> None:
        learned, rate = row.known("learned"), row.number("rate")
        top = self._ceiling if learned is None else min(self._ceiling, learned)
        if rate < top:
            row.set(rate=min(top, rate + RISE * answers))
        elif learned is not None and now - row.number("probed_at") >= PROBE_EVERY_S:
            higher = min(self._ceiling, learned * PROBE_STEP)
            row.set(learned=higher, rate=higher, probed_at=now)

    def _refused(self, row: Row, now: float, retry_after_s: float | None) -> None:
        held = row.number("hold_until")
        hold = now + min(retry_after_s or 0.0, LONGEST_HOLD_S)
        # Requests that were under way at the same pace are refused too: one lesson is enough.
        if now < held + HALVED_FOR_S:
            if retry_after_s:
                row.set(hold_until=max(hold, held))
            return
        streak = int(row.number("streak")) + 1 if now < held + HALVED_FOR_S + SOON_S else 0
        part = max(BACK_TO_AT_LEAST, BACK_TO ** (2**streak))
        rate = max(LOWEST_RPS, min(self._ceiling, row.number("rate")) * part)
        row.set(rate=rate, learned=rate, hold_until=hold, probed_at=now, streak=streak)
