"""Pacing: the pace follows what the API tolerates, the budget is kept, a ban stops everything."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccpay_io.codes import (
    Internal,
    InvalidChain,
    MaliciousReq,
    RateLimit,
    ReqDailyLimit,
)
from ccpay_io.errors import (
    ApiError,
    BreakerOpen,
    BudgetExhausted,
    HttpStatusError,
    Policy,
    TimedOut,
    WarehouseError,
)
from ccpay_io.pacing import LONGEST_HOLD_S, Pacer

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()


@dataclass
class Clock:
    """Virtual time, which moves when somebody sleeps."""

    moment: float = NOON
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None

    def now(self) -> float:
        """The time now."""
        return self.moment

    async def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        assert seconds > 0
        self.slept.append(seconds)
        self.moment += seconds
        self.on_sleep()


@dataclass
class Account:
    """An account's limits file and its clock; `pacer` is what one process has of it."""

    path: Path
    clock: Clock = field(default_factory=Clock)

    def pacer(self, key: str = "account", **settings: Any) -> Pacer:
        """A pacer on the file, as another process would have it."""
        return Pacer(
            self.path,
            credentials_key=key,
            now=self.clock.now,
            sleep=self.clock.sleep,
            **{"daily_budget": 100_000, **settings},
        )


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """An account that has not been used yet."""
    return Account(tmp_path / "limits.sqlite")


def acquire(pacer: Pacer, times: int = 1) -> None:
    """Takes slots, one after the other."""

    async def take() -> None:
        for _ in range(times):
            await pacer.acquire("getWithdrawFee")

    asyncio.run(take())


def seconds_for(account: Account, pacer: Pacer, requests: int, *, answered: bool = False) -> float:
    """How long so many requests take in virtual time."""
    started = account.clock.moment

    async def take() -> None:
        for _ in range(requests):
            await pacer.acquire("getWithdrawFee")
            if answered:
                pacer.answered()

    asyncio.run(take())
    return account.clock.moment - started


def test_it_starts_at_ten_per_second(account: Account) -> None:
    """Before anything is known, requests are a tenth of a second apart."""
    assert seconds_for(account, account.pacer(), 101) == pytest.approx(10)


def test_it_rises_while_answered_up_to_the_ceiling(account: Account) -> None:
    """Answers raise the pace, never above the ceiling."""
    pacer = account.pacer(ceiling_rps=50)
    seconds_for(account, pacer, 500, answered=True)
    assert pacer.status().rate_rps == 50
    assert seconds_for(account, pacer, 101, answered=True) == pytest.approx(2, rel=0.05)


def test_it_does_not_rise_without_being_needed(account: Account) -> None:
    """Answers to requests that never had to wait prove nothing about a higher pace."""
    pacer = account.pacer()
    for _ in range(500):
        acquire(pacer)
        account.clock.moment += 30
        pacer.answered()
    assert pacer.status().rate_rps == 10


def test_a_set_pace_is_start_and_ceiling(account: Account) -> None:
    """A pace below the default is kept from the first request to the last."""
    pacer = account.pacer(start_rps=2, ceiling_rps=2)
    assert seconds_for(account, pacer, 41, answered=True) == pytest.approx(20)


def test_a_lower_ceiling_counts_at_once(account: Account) -> None:
    """A ceiling that is set later binds, whatever pace was learned before."""
    seconds_for(account, account.pacer(), 300, answered=True)
    slow = account.pacer(start_rps=1, ceiling_rps=1)
    acquire(slow)
    assert slow.status().rate_rps == 1
    assert seconds_for(account, slow, 20) == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize(
    "error", [RateLimit("e"), HttpStatusError("e", http_status=429, policy=Policy.SLOW_DOWN)]
)
def test_a_refusal_halves_the_pace_for_a_second(account: Account, error: ApiError) -> None:
    """After a refusal the pace is half for about a second, then 95 % of what was refused."""
    pacer = account.pacer()
    acquire(pacer)
    pacer.failed(error)
    assert pacer.status().rate_rps == pytest.approx(9.5)
    assert pacer.status().highest_rps == pytest.approx(9.5)
    assert pacer.status().learned_ceiling_rps == pytest.approx(9.5)
    assert seconds_for(account, pacer, 5) == pytest.approx(4 / 4.75, abs=0.25)
    account.clock.moment += 1
    assert seconds_for(account, pacer, 96) == pytest.approx(10, rel=0.02)


def test_refusals_at_the_same_moment_are_one_lesson(account: Account) -> None:
    """Requests that were under way together teach once."""
    pacer = account.pacer()
    for _ in range(8):
        pacer.failed(RateLimit("e"))
    assert pacer.status().rate_rps == pytest.approx(9.5)


def test_above_the_learned_pace_it_probes_rarely(account: Account) -> None:
    """Once refused, the pace goes up by one careful step per minute of answers."""
    pacer = account.pacer()
    pacer.failed(RateLimit("e"))
    seconds_for(account, pacer, 9 * 50, answered=True)
    assert pacer.status().rate_rps == pytest.approx(9.5)
    seconds_for(account, pacer, 10 * 20, answered=True)
    assert pacer.status().rate_rps == pytest.approx(9.5 * 1.05)


@pytest.mark.parametrize("wait", [0.5, 7, 90])
def test_retry_after_holds_everybody(account: Account, wait: float) -> None:
    """What the server asks to wait is waited, by every process."""
    refused_at = account.clock.moment
    account.pacer().failed(RateLimit("e", retry_after_s=wait))
    acquire(account.pacer())
    assert account.clock.moment - refused_at >= wait


def test_retry_after_has_a_limit(account: Account) -> None:
    """A server that asks for a day is not obeyed for a day."""
    refused_at = account.clock.moment
    account.pacer().failed(RateLimit("e", retry_after_s=86_400))
    acquire(account.pacer())
    assert account.clock.moment - refused_at == pytest.approx(LONGEST_HOLD_S, rel=0.01)


def test_retry_after_holds_those_who_wait_already(account: Account) -> None:
    """A request that waits for its slot when a pause is learned waits for the pause too."""
    pacer = account.pacer()
    acquire(pacer)
    refused_at = account.clock.moment

    def learn() -> None:
        account.clock.on_sleep = lambda: None
        account.pacer().failed(RateLimit("e", retry_after_s=30))

    account.clock.on_sleep = learn
    acquire(pacer)
    assert account.clock.moment - refused_at >= 30


def test_a_long_queue_keeps_the_pace(account: Account) -> None:
    """Thirty requests at the lowest pace are spread over minutes, none of them at once."""
    started, moments = account.clock.moment, []

    async def take() -> None:
        pacer = account.pacer(start_rps=0.2, ceiling_rps=0.2)
        for _ in range(30):
            await pacer.acquire("getWithdrawFee")
            moments.append(account.clock.moment - started)

    asyncio.run(take())
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert min(gaps) == pytest.approx(5)


def test_the_daily_budget_is_kept(account: Account) -> None:
    """The request beyond the budget is not made; the budget is new at midnight UTC."""
    pacer = account.pacer(daily_budget=5)
    acquire(pacer, 5)
    with pytest.raises(BudgetExhausted, match="5 of 5 requests"):
        acquire(pacer)
    assert pacer.status().used_today == 5
    account.clock.moment += 12 * 3600
    assert pacer.status().used_today == 0
    acquire(pacer)


def test_the_budget_is_shared_and_survives(account: Account) -> None:
    """All processes of an account count together, and a restart forgets nothing."""
    for _ in range(3):
        acquire(account.pacer(daily_budget=3))
    with pytest.raises(BudgetExhausted):
        acquire(account.pacer(daily_budget=3))


def test_accounts_are_apart(account: Account) -> None:
    """Another account in the same file has its own pace, budget and breaker."""
    account.pacer("one").failed(MaliciousReq("e"))
    acquire(account.pacer("two"))
    assert account.pacer("two").status().breaker_since is None


def test_a_used_up_quota_ends_at_midnight(account: Account) -> None:
    """After 11009 nothing is sent until 00:00 UTC."""
    account.pacer().failed(ReqDailyLimit("e"))
    assert account.pacer().status().quota_exhausted
    with pytest.raises(BudgetExhausted, match="quota"):
        acquire(account.pacer())
    account.clock.moment += 12 * 3600
    acquire(account.pacer())


def test_a_ban_stops_everything_until_rearmed(account: Account) -> None:
    """After 11014 every process refuses, also after a restart, until somebody re-arms."""
    account.pacer().failed(MaliciousReq("e"))
    with pytest.raises(BreakerOpen) as caught:
        acquire(account.pacer())
    assert "doctor --rearm" in caught.value.hint
    assert account.pacer().status().breaker_since == datetime.fromtimestamp(NOON, UTC)
    account.pacer().rearm()
    acquire(account.pacer())


@pytest.mark.parametrize("error", [MaliciousReq("e"), ReqDailyLimit("e")])
def test_who_waits_sees_the_stop(account: Account, error: ApiError) -> None:
    """A request that waits for its slot when a ban or the quota is learned is not sent."""
    pacer = account.pacer()
    acquire(pacer)
    account.clock.on_sleep = lambda: account.pacer().failed(error)
    with pytest.raises((BreakerOpen, BudgetExhausted)):
        acquire(pacer)


@pytest.mark.parametrize(
    "jump", [-5 * 365 * 86_400, -86_400, -3600, 3600, 86_400, 5 * 365 * 86_400]
)
def test_no_jump_of_the_clock_unlocks_the_breaker(account: Account, jump: float) -> None:
    """The breaker knows no time."""
    account.pacer().failed(MaliciousReq("e"))
    account.clock.moment += jump
    with pytest.raises(BreakerOpen):
        acquire(account.pacer())


@pytest.mark.parametrize("jump", [-5 * 365 * 86_400, -86_400, -3600, -30, 3600, 5 * 365 * 86_400])
def test_no_jump_of_the_clock_stalls_the_pace(account: Account, jump: float) -> None:
    """After the clock was set, requests go on at the same pace."""
    pacer = account.pacer()
    acquire(pacer, 20)
    account.clock.moment += jump
    assert seconds_for(account, pacer, 20) == pytest.approx(2, abs=0.2)


def test_a_clock_set_back_while_waiting_does_not_stall(account: Account) -> None:
    """Who waits for a slot when the clock is set back waits no longer than before."""
    pacer = account.pacer()
    acquire(pacer, 20)

    def set_back() -> None:
        account.clock.on_sleep = lambda: None
        account.clock.moment -= 3600

    account.clock.on_sleep = set_back
    account.clock.slept.clear()
    acquire(pacer)
    assert sum(account.clock.slept) < 1


def test_a_pause_survives_a_clock_that_is_set_back(account: Account) -> None:
    """A pause that the server asked for is as long as before, neither lost nor prolonged."""
    pacer = account.pacer()
    acquire(pacer)
    pacer.failed(RateLimit("e", retry_after_s=20))
    account.clock.moment -= 3600
    account.clock.slept.clear()
    acquire(pacer)
    assert sum(account.clock.slept) == pytest.approx(20, abs=1)


@pytest.mark.parametrize("error", [TimedOut("e"), Internal("e"), BreakerOpen("e")])
def test_other_failures_do_not_change_the_pace(account: Account, error: ApiError) -> None:
    """A failure that says nothing about limits changes none."""
    pacer = account.pacer()
    acquire(pacer, 2)
    before = pacer.status()
    pacer.failed(error)
    assert pacer.status() == before


def test_a_refused_pair_is_an_answer(account: Account) -> None:
    """13xxx and 14xxx are answers: they raise the pace like any other."""
    pacer = account.pacer()
    acquire(pacer, 2)
    pacer.failed(InvalidChain("e"))
    assert pacer.status().rate_rps > 10


def test_the_chains_do_not_wait_behind_a_sweep(tmp_path: Path) -> None:
    """With 32 fees waiting, a question about the chains gets one of the next two slots."""
    pacer = Pacer(
        tmp_path / "limits.sqlite", credentials_key="x", daily_budget=10**6,
        start_rps=20, ceiling_rps=20,
    )  # fmt: skip

    async def ask() -> tuple[float, int]:
        sweep = [asyncio.create_task(pacer.acquire("getWithdrawFee")) for _ in range(32)]
        await asyncio.sleep(0.12)
        started = time.monotonic()
        await pacer.acquire("getChainList")
        waited, done = time.monotonic() - started, sum(task.done() for task in sweep)
        for task in sweep:
            task.cancel()
        return waited, done

    waited, done = asyncio.run(ask())
    assert waited < 0.3
    assert done < 10


def test_what_the_chains_need_is_kept_for_them(account: Account) -> None:
    """Fees end where the rest of the day is needed for the chains, prices and lists before them."""
    pacer = account.pacer(daily_budget=100, reserves=(40 / 43_200, 20 / 43_200))
    acquire(pacer, 40)
    assert pacer.status().left_for_fees == 0
    with pytest.raises(BudgetExhausted, match="the rest is for what matters more"):
        acquire(pacer)

    async def others(endpoint: str, times: int) -> None:
        for _ in range(times):
            await pacer.acquire(endpoint)

    asyncio.run(others("getFiatList", 20))
    with pytest.raises(BudgetExhausted):
        asyncio.run(others("getFiatList", 1))
    asyncio.run(others("getChainList", 40))
    with pytest.raises(BudgetExhausted, match="100 of 100"):
        asyncio.run(others("getChainList", 1))


def test_as_the_day_goes_by_less_is_kept(account: Account) -> None:
    """What the chains no longer need today, fees may have."""
    pacer = account.pacer(daily_budget=100, reserves=(40 / 43_200, 0))
    assert pacer.status().left_for_fees == 60
    account.clock.moment += 6 * 3600
    assert pacer.status().left_for_fees == 80


def exhaust(account: Account, used: int) -> Pacer:
    """Uses so many requests up to the account's quota."""
    pacer = account.pacer(start_rps=50)
    acquire(pacer, used)
    pacer.failed(ReqDailyLimit("e"))
    return pacer


def set_used(account: Account, used: int) -> None:
    """Says that so many requests were made today."""
    con = sqlite3.connect(account.path)
    con.execute("UPDATE pace SET used = ?", [used])
    con.commit()
    con.close()


def test_when_the_quota_begins_anew_is_found_out(account: Account) -> None:
    """One question about the chains every half an hour; when it is answered, the day begins."""
    pacer = exhaust(account, 10)
    asked = 0
    began = account.clock.moment + 5 * 3600
    while account.clock.moment < began + 1800:
        with suppress(BudgetExhausted):
            asyncio.run(pacer.acquire("getChainList"))
            asked += 1
            if account.clock.moment < began:
                pacer.failed(ReqDailyLimit("e"))
            else:
                pacer.answered()
                break
        account.clock.moment += 30
    pacer.settle()
    status = account.pacer().status()
    assert asked == pytest.approx(10, abs=1)
    assert not status.quota_exhausted
    assert status.used_today == 0
    assert status.resets_at.timestamp() == pytest.approx(began + 86_400, abs=1860)
    acquire(account.pacer())


def test_an_answer_from_before_does_not_begin_a_day(account: Account) -> None:
    """Requests that were under way when 11009 came say nothing of a new day."""
    pacer = exhaust(account, 10)
    pacer.answered()
    assert account.pacer().status().quota_exhausted
    assert pacer.status().quota_exhausted


def test_a_quota_that_was_seen_is_the_budget_from_then_on(account: Account) -> None:
    """What 11009 taught holds the next day, and rises by a twentieth when that passes in peace."""
    pacer = account.pacer()
    acquire(pacer)
    set_used(account, 1500)
    pacer.failed(ReqDailyLimit("e"))
    account.clock.moment += 86_400
    assert pacer.status().daily_budget == 1500
    acquire(pacer)
    set_used(account, 1499)
    acquire(pacer)
    with pytest.raises(BudgetExhausted, match="1500 of 1500"):
        acquire(pacer)
    account.clock.moment += 86_400
    acquire(pacer)
    assert pacer.status().daily_budget == 1575


def test_slots_close_together_are_taken_at_once_and_given_back(account: Account) -> None:
    """At 1,000 a second a process takes 20 ms at a time; what it does not use is not counted."""
    pacer = account.pacer(start_rps=1000, ceiling_rps=1000)
    assert seconds_for(account, pacer, 1001) == pytest.approx(1, rel=0.05)
    acquire(pacer, 5)
    pacer.settle()
    assert account.pacer().status().used_today == 1006


def test_a_file_of_an_earlier_release_keeps_its_ban(account: Account) -> None:
    """Columns that it lacks are added; what it knows stays."""
    exhaust(account, 3)
    con = sqlite3.connect(account.path)
    con.execute("UPDATE pace SET breaker_since = 1, used = 7")
    for column in ("reset_s", "quota", "quota_probed_at"):
        con.execute(f"ALTER TABLE pace DROP COLUMN {column}")
    con.commit()
    con.close()
    status = account.pacer().status()
    assert status.breaker_since == datetime.fromtimestamp(1, UTC)
    assert status.used_today == 7


def bucket(rate: float, burst: float, clock: Clock) -> Callable[[], bool]:
    """A server that allows `rate` requests per second, and bursts."""
    tokens, at = burst, clock.moment

    def allows() -> bool:
        nonlocal tokens, at
        tokens, at = min(burst, tokens + (clock.moment - at) * rate), clock.moment
        allowed = tokens >= 1
        tokens -= allowed
        return allowed

    return allows


def window(rate: float, clock: Clock) -> Callable[[], bool]:
    """A server that counts requests per second of its clock."""
    seen: Counter[int] = Counter()

    def allows() -> bool:
        seen[int(clock.moment)] += 1
        return seen[int(clock.moment)] <= rate

    return allows


@pytest.mark.parametrize("server", ["bucket", "small bucket", "window"])
@pytest.mark.parametrize(("rate", "refusals"), [(2, 25), (12, 10), (20, 10), (30, 10)])
def test_a_server_with_a_limit_is_met_closely(
    account: Account, server: str, rate: float, refusals: int
) -> None:
    """1,500 requests against a limit end near the ideal time with a handful of refusals."""
    allows = {
        "bucket": bucket(rate, rate, account.clock),
        "small bucket": bucket(rate, 2, account.clock),
        "window": window(rate, account.clock),
    }[server]
    pacer, started = account.pacer(), account.clock.moment

    async def sweep() -> int:
        refused, done = 0, 0
        while done < 1500:
            await pacer.acquire("getWithdrawFee")
            if allows():
                pacer.answered()
                done += 1
            else:
                pacer.failed(RateLimit("e"))
                refused += 1
        return refused

    assert asyncio.run(sweep()) < refusals
    assert account.clock.moment - started < 1.25 * 1500 / rate


def test_refusals_in_quick_succession_count_double(account: Account) -> None:
    """A pace that is refused again and again falls faster each time; later ones count singly."""
    pacer = account.pacer()
    paces = []
    for pause in (0, 2, 2, 2, 60):
        account.clock.moment += pause
        pacer.failed(RateLimit("e"))
        paces.append(pacer.status().rate_rps)
    parts = [after / before for before, after in pairwise([10.0, *paces])]
    assert parts == pytest.approx([0.95, 0.95**2, 0.95**4, 0.95**8, 0.95])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.sampled_from(["acquire", "answered", "refused", "hold", "jump", "other"]), max_size=60
    ),
    st.floats(0.1, 40),
)
def test_the_pace_stays_within_its_bounds(
    tmp_path_factory: pytest.TempPathFactory, events: list[str], ceiling: float
) -> None:
    """Whatever happens in whatever order, the pace is positive and never above the ceiling."""
    account = Account(tmp_path_factory.mktemp("pace") / "limits.sqlite")
    pacer = account.pacer(ceiling_rps=ceiling)
    for event in events:
        if event == "acquire":
            acquire(pacer)
        elif event == "answered":
            pacer.answered()
        elif event == "jump":
            account.clock.moment -= 1000
        else:
            wait = {"refused": None, "hold": 3.0, "other": 0.0}[event]
            pacer.failed(RateLimit("e", retry_after_s=wait))
        assert 0 < pacer.status().rate_rps <= ceiling


def test_the_file_is_private_and_knows_no_id(account: Account) -> None:
    """Only the user may read the file, and the account is in it as a hash."""
    pacer = account.pacer("app-id-canary")
    acquire(pacer)
    files = list(account.path.parent.iterdir())
    assert len(files) >= 1
    for path in files:
        assert path.stat().st_mode & 0o077 == 0
        assert b"app-id-canary" not in path.read_bytes()


def test_a_damaged_file_says_so(account: Account) -> None:
    """A limits file that is none ends in an error that names it and says what to do."""
    account.path.write_bytes(b"not a database, but long enough to look like something" * 20)
    with pytest.raises(WarehouseError, match=r"limits\.sqlite") as caught:
        acquire(account.pacer())
    assert "delete" in caught.value.hint


def test_the_breaker_is_written_through(account: Account) -> None:
    """The breaker is in the file, and readable by anybody else, the moment failed() returns."""
    pacer = account.pacer()
    pacer.failed(MaliciousReq("e"))
    con = sqlite3.connect(account.path)
    assert con.execute("SELECT breaker_since FROM pace").fetchone() == (NOON,)
    con.close()


WORKER = """
import asyncio, sys, time
from pathlib import Path
from ccpay_io.errors import BreakerOpen
from ccpay_io.pacing import Pacer

pacer = Pacer(Path(sys.argv[1]), credentials_key="x", daily_budget=100000,
              start_rps=40, ceiling_rps=40)

async def main():
    for _ in range(int(sys.argv[2])):
        await pacer.acquire("getWithdrawFee")
        print(time.time(), flush=True)

try:
    asyncio.run(main())
except BreakerOpen:
    print("stopped", flush=True)
"""


def worker(path: Path, requests: int) -> subprocess.Popen[str]:
    """Another process that makes requests at 40 per second at most."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), str(requests)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def test_two_processes_share_one_pace(tmp_path: Path) -> None:
    """Two processes together keep the pace that one of them would have."""
    path = tmp_path / "limits.sqlite"
    workers = [worker(path, 40) for _ in range(2)]
    moments = sorted(float(line) for w in workers for line in w.communicate()[0].split())
    assert len(moments) == 80
    # 80 requests at 40/s; the processes do not start at the same moment.
    assert moments[-1] - moments[0] >= 79 / 40 - 0.05


def test_a_ban_in_one_process_stops_the_other(tmp_path: Path) -> None:
    """A process in the middle of its work stops when another learns of a ban."""
    path = tmp_path / "limits.sqlite"
    other = worker(path, 10_000)
    assert other.stdout is not None
    other.stdout.readline()
    Pacer(path, credentials_key="x", daily_budget=1).failed(MaliciousReq("e"))
    tripped = time.time()
    lines = other.communicate(timeout=20)[0].split()
    assert lines[-1] == "stopped"
    assert all(float(moment) < tripped + 0.1 for moment in lines[:-1])
