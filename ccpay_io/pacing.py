"""How fast, how often per day, and whether at all: one pace for all processes of an account.

Owns the limits file (SQLite), the pace that adapts to what the API tolerates, the daily budget and
the breaker that 11014 trips. Does not send anything. Called by the client before and after each
request, by doctor for status and re-arming.

The pace rises while requests that had to wait for it are answered; a refusal (11004, 429) halves it
for about a second, after which it goes on at 95 % of the pace that was refused and tries a higher
one only rarely. Refusals in quick succession mean that the limit is far below: each counts double.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ccpay_io.errors import ApiError, BreakerOpen, BudgetExhausted, Policy, WarehouseError

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
# Processes read the clock at slightly different moments; more than this backwards is a jump.
CLOCK_SLACK_S = 1.0

_COLUMNS = (
    "rate REAL, learned REAL, next_slot REAL, hold_until REAL, probed_at REAL, seen_at REAL,"
    " pressed INTEGER, streak INTEGER, day TEXT, used INTEGER, quota_day TEXT, breaker_since REAL"
)
_NEW_ROW = "INSERT INTO pace VALUES (?, ?, NULL, 0, 0, 0, 0, 0, 0, '', 0, '', NULL)"


@dataclass(frozen=True)
class PacerStatus:
    """What the limits file says now.

    Attributes:
        rate_rps: pace in requests per second.
        learned_ceiling_rps: highest pace that was not refused; None while nothing was refused.
        used_today: requests since 00:00 UTC.
        daily_budget: requests allowed per UTC day.
        quota_exhausted: whether the API said (11009) that today's quota is used up.
        breaker_since: when 11014 was seen; None when calls are allowed.
    """

    rate_rps: float
    learned_ceiling_rps: float | None
    used_today: int
    daily_budget: int
    quota_exhausted: bool
    breaker_since: datetime | None


class Pacer:
    """The pace of one account on this machine.

    Args:
        path: the limits file, shared by all processes.
        credentials_key: what identifies the account; only a hash of it is stored.
        daily_budget: requests allowed per UTC day.
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
        start_rps: float = START_RPS,
        ceiling_rps: float = CEILING_RPS,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._path = path
        self._account = hashlib.sha256(credentials_key.encode()).hexdigest()[:16]
        self._budget = daily_budget
        self._start, self._ceiling = start_rps, ceiling_rps
        self._now, self._sleep = now, sleep
        self._con: sqlite3.Connection | None = None
        self._alone = threading.Lock()

    async def acquire(self, endpoint: str) -> None:
        """Counts this request and waits for its slot.

        Raises:
            BreakerOpen: 11014 was seen, perhaps while waiting, and nobody has re-armed yet.
            BudgetExhausted: today's budget, or the account's quota, is used up.
            WarehouseError: the limits file cannot be used.
        """
        slot = self._reserve(endpoint)
        while (wait := slot - self._now()) > 0:
            await self._sleep(min(wait, LONGEST_SLEEP_S))
            slot = self._still(endpoint, slot)

    def answered(self) -> None:
        """A request was answered: the pace may rise, if it is what requests wait for."""
        now = self._now()
        with self._state() as (con, state):
            if now < state["hold_until"] + HALVED_FOR_S or not state["pressed"]:
                return
            learned, rate = state["learned"], state["rate"]
            top = self._ceiling if learned is None else min(self._ceiling, learned)
            if rate < top:
                self._set(con, rate=min(top, rate + RISE))
            elif learned is not None and now - state["probed_at"] >= PROBE_EVERY_S:
                higher = min(self._ceiling, learned * PROBE_STEP)
                self._set(con, learned=higher, rate=higher, probed_at=now)

    def failed(self, error: ApiError) -> None:
        """A request failed: the pace, the budget or the breaker may have to change."""
        if isinstance(error, BreakerOpen | BudgetExhausted):
            return
        if error.is_answer:
            self.answered()
        elif error.policy is Policy.SLOW_DOWN:
            self._refused(error.retry_after_s)
        elif error.policy is Policy.WAIT_TOMORROW:
            with self._state() as (con, _):
                self._set(con, quota_day=self._today())
        elif error.policy is Policy.STOP_EVERYTHING:
            with self._state(durable=True) as (con, _):
                self._set(con, breaker_since=self._now())

    def rearm(self) -> None:
        """Closes the breaker: requests are allowed again."""
        with self._state(durable=True) as (con, _):
            self._set(con, breaker_since=None)

    def status(self) -> PacerStatus:
        """What the limits file says now."""
        with self._state() as (_, state):
            since = state["breaker_since"]
            return PacerStatus(
                rate_rps=min(self._ceiling, state["rate"]),
                learned_ceiling_rps=state["learned"],
                used_today=state["used"] if state["day"] == self._today() else 0,
                daily_budget=self._budget,
                quota_exhausted=state["quota_day"] == self._today(),
                breaker_since=None if since is None else datetime.fromtimestamp(since, UTC),
            )

    def _reserve(self, endpoint: str) -> float:
        """Counts the request and takes the next slot; returns the slot's time."""
        today = self._today()
        with self._state() as (con, state):
            self._refuse_if_stopped(endpoint, state)
            used = state["used"] if state["day"] == today else 0
            if used >= self._budget:
                raise BudgetExhausted(endpoint, f"{used} of {self._budget} requests used today")
            self._set(con, day=today, used=used + 1)
            return self._take_slot(con, state)

    def _still(self, endpoint: str, slot: float) -> float:
        """The slot that this request has now, after some sleep; a later one after a refusal."""
        with self._state() as (con, state):
            self._refuse_if_stopped(endpoint, state)
            if state["hold_until"] > self._now():
                return self._take_slot(con, state)
            # No slot lies behind the next free one, unless the clock was set back meanwhile.
            return min(slot, float(state["next_slot"]))

    def _refuse_if_stopped(self, endpoint: str, state: sqlite3.Row) -> None:
        if state["breaker_since"] is not None:
            raise BreakerOpen(endpoint)
        if state["quota_day"] == self._today():
            raise BudgetExhausted(endpoint, "the account's quota of today is used up")

    def _take_slot(self, con: sqlite3.Connection, state: sqlite3.Row) -> float:
        now = self._now()
        slot = max(now, float(state["hold_until"]), float(state["next_slot"]))
        pace = self._pace_at(state, slot)
        self._set(con, next_slot=slot + 1 / pace, seen_at=now, pressed=int(slot > now))
        return slot

    def _pace_at(self, state: sqlite3.Row, moment: float) -> float:
        """Half the pace for a moment after a refusal, else the pace."""
        held = state["hold_until"] <= moment < state["hold_until"] + HALVED_FOR_S
        pace = float(state["rate"]) / 2 if held else float(state["rate"])
        return min(self._ceiling, max(LOWEST_RPS, pace))

    def _refused(self, retry_after_s: float | None) -> None:
        now = self._now()
        with self._state() as (con, state):
            hold = now + min(retry_after_s or 0.0, LONGEST_HOLD_S)
            # Requests that were under way at the same pace are refused too: one lesson is enough.
            if now < state["hold_until"] + HALVED_FOR_S:
                if retry_after_s:
                    self._set(con, hold_until=max(hold, state["hold_until"]))
                return
            soon = now < state["hold_until"] + HALVED_FOR_S + SOON_S
            streak = state["streak"] + 1 if soon else 0
            part = max(BACK_TO_AT_LEAST, BACK_TO ** (2**streak))
            rate = max(LOWEST_RPS, min(self._ceiling, state["rate"]) * part)
            self._set(con, rate=rate, learned=rate, hold_until=hold, probed_at=now, streak=streak)

    @contextmanager
    def _state(self, *, durable: bool = False) -> Iterator[tuple[sqlite3.Connection, sqlite3.Row]]:
        """The account's row inside one transaction that excludes all other processes."""
        with self._alone:
            try:
                con = self._connected()
                # Only the breaker must survive a power cut; a lost count does no harm.
                con.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
                con.execute("BEGIN IMMEDIATE")
                try:
                    yield con, self._row(con)
                finally:
                    con.execute("COMMIT")
            except sqlite3.Error as error:
                raise WarehouseError(
                    f"{self._path} cannot be used: {error}",
                    hint="if it is damaged, delete it: it holds the pace, today's count of"
                    " requests and whether a ban was seen",
                ) from error

    def _row(self, con: sqlite3.Connection) -> sqlite3.Row:
        select = "SELECT * FROM pace WHERE account = ?"
        if con.execute(select, [self._account]).fetchone() is None:
            con.execute(_NEW_ROW, [self._account, min(self._start, self._ceiling)])
        row: sqlite3.Row = con.execute(select, [self._account]).fetchone()
        jump = row["seen_at"] - self._now()
        if jump > CLOCK_SLACK_S:
            self._shift(con, jump)
            row = con.execute(select, [self._account]).fetchone()
        return row

    def _shift(self, con: sqlite3.Connection, jump: float) -> None:
        """After the clock was set back: waits stay as long as they were, instead of the jump."""
        con.execute(
            "UPDATE pace SET next_slot = next_slot - ?1, hold_until = hold_until - ?1,"
            " probed_at = probed_at - ?1, seen_at = seen_at - ?1 WHERE account = ?2",
            [jump, self._account],
        )

    def _connected(self) -> sqlite3.Connection:
        """One connection for the pacer's life: opening one costs more than parsing ten fees."""
        if self._con is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite gives its side files the mode of the file.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            con = sqlite3.connect(
                self._path, timeout=10, isolation_level=None, check_same_thread=False
            )
            weakref.finalize(self, con.close)
            con.row_factory = sqlite3.Row
            con.execute("PRAGMA journal_mode = WAL")
            con.execute(f"CREATE TABLE IF NOT EXISTS pace (account TEXT PRIMARY KEY, {_COLUMNS})")
            self._con = con
        return self._con

    def _set(self, con: sqlite3.Connection, **values: object) -> None:
        assignments = ", ".join(f"{name} = ?" for name in values)
        con.execute(
            f"UPDATE pace SET {assignments} WHERE account = ?", [*values.values(), self._account]
        )

    def _today(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).date().isoformat()
