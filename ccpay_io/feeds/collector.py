"""One poll from end to end: plan, ask, judge, keep the raw answers, commit, publish.

Owns the order of these steps and what a failure becomes in the ledger. Does not know how an
endpoint is asked (the feed modules), how answers are stored (store/) or when polls happen
(pipelines/ and `ccpay watch`, which call this).
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from os import getpid

import duckdb

from ccpay_io import alerts
from ccpay_io.client import CcpayClient, Exchange, Silence
from ccpay_io.errors import ApiError, SuspectList, TimedOut
from ccpay_io.feeds import plan
from ccpay_io.feeds.asked import Asked, drift_of
from ccpay_io.feeds.canary import blame
from ccpay_io.feeds.chains import ask_chains
from ccpay_io.feeds.coins import ask_coins
from ccpay_io.feeds.fees import ask_fees
from ccpay_io.feeds.fiats import ask_fiats
from ccpay_io.feeds.networks import ask_networks
from ccpay_io.feeds.poll import Poll, poll_id_at, utc_now
from ccpay_io.feeds.prices import ask_prices
from ccpay_io.feeds.quarantine import judge_list
from ccpay_io.feeds.record import header_of
from ccpay_io.feeds.result import (
    PollResult,
    WatchResult,
    concluded,
    outcome_of,
    recent,
    result_of,
)
from ccpay_io.feeds.sampling import allowance, longest_turn, reachable
from ccpay_io.feeds.watchlist import ask_watchlist
from ccpay_io.pacing import PacerStatus
from ccpay_io.redaction import Redactor
from ccpay_io.settings import Settings
from ccpay_io.store.limits import Coverage, note_limits
from ccpay_io.store.raw import write_raw
from ccpay_io.store.watch import sync_watch_settings
from ccpay_io.store.writer import Warehouse

Progress = Callable[[int, int], None]

# The part of the cadence in which a poll must be done, so that it never runs into the next one.
DEADLINE_SHARE = 0.7
WATCH_DEADLINE_S = 25.0
# A sweep ends itself, with what it has, before the poll would be cut off.
SWEEP_ENDS_BEFORE_S = 2.0
# A single-list poll has nothing to gain from a longer wait than the client's own retries.
LIST_DEADLINE_S = 60.0
# After so many cadences without an answer, the next one ends a gap.
GAP_CADENCES = 2


class Collector:
    """Polls feeds into a warehouse.

    Args:
        client: the signed client; one event loop.
        warehouse: where polls are committed.
        settings: cadences, watched things, alert thresholds.
        now: the clock.
    """

    def __init__(
        self,
        client: CcpayClient,
        warehouse: Warehouse,
        settings: Settings,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._client = client
        self._warehouse = warehouse
        self._settings = settings
        self._now = now
        self._writer = f"{socket.gethostname()}:{getpid()}"
        self._redact = Redactor.of(settings).text

    async def poll(
        self,
        feed: str,
        *,
        on_progress: Progress = lambda done, total: None,
        reuse_s: float = 0,
        deadline_s: float | None = None,
    ) -> PollResult:
        """One poll of a feed, committed and published when due.

        Published at once: the fees, a change of a status, a notice, and what ends a gap.

        An API failure is not raised: it is stored as a failed poll and returned in the result.

        Args:
            on_progress: called with (done, total) entities during a fee sweep.
            reuse_s: take the last successful poll instead of asking if it is younger than this.
            deadline_s: instead of the feed's own deadline.

        Raises:
            WarehouseError: the warehouse cannot be written.
        """
        allowed = self._allowance() if feed == "fees" else None
        with self._warehouse.transaction() as con:
            if reuse_s and (found := recent(con, feed, self._now(), reuse_s)):
                return found
            planned = plan.plan_poll(con, feed, allowed)
        poll, error = await self.observe(
            feed, planned, on_progress=on_progress, deadline_s=deadline_s
        )
        news = self._ends_a_gap(poll, planned.answered_at)
        return self._commit(poll, planned, error, news=news)

    async def observe(
        self,
        feed: str,
        planned: plan.Plan,
        *,
        on_progress: Progress = lambda done, total: None,
        deadline_s: float | None = None,
    ) -> tuple[Poll, ApiError | None]:
        """Asks what was planned and keeps the raw answers; commits nothing.

        From here to the last answer nothing waits for the writers' lock: neither the deadline nor
        the time of observation may depend on who else is writing.

        Returns:
            The poll, and why it failed, or the most frequent failure of a partial one.
        """
        started, exchanges, sent = self._now(), list[Exchange | Silence](), self._client.requests
        self._client.on_exchange = self._client.on_silence = exchanges.append
        asked, error = await self._ask_in_time(
            feed, planned, on_progress, deadline_s or self._deadline_s(feed)
        )
        observed = self._now()
        error = self._suspicion(feed, asked, planned.memory, started) or error
        if outcome_of(asked, error) == "failed":
            error = await blame(error, self._settings)
        begun = Poll(
            poll_id=poll_id_at(started),
            feed=feed,
            outcome="failed",
            started_at=started,
            observed_at=observed,
            requests=self._client.requests - sent,
            writer=self._writer,
            cadence_s=self._cadence_s(feed),
        )
        poll = concluded(begun, asked, error, self._redact)
        header = header_of(poll, asked, self._settings.watch)
        raw = write_raw(self._warehouse.root, header, exchanges, redact=self._redact)
        return replace(poll, raw=raw), error

    async def watch_chains(self) -> WatchResult:
        """The chain watch: one poll, and more 5 s apart while the engine wants confirmation.

        Asking ends within 25 s: a first bad or first good status is known for sure within one
        interval, without waiting for the next.
        """
        ends = time.monotonic() + WATCH_DEADLINE_S
        polls: list[PollResult] = []
        pause = self._settings.alerts.confirm_after_s
        while True:
            left = ends - time.monotonic()
            polls.append(await self.poll("chains", deadline_s=left))
            if not polls[-1].confirm or ends - time.monotonic() < pause + 5:
                return WatchResult(tuple(polls))
            await asyncio.sleep(pause)

    async def _ask_in_time(
        self, feed: str, planned: plan.Plan, on_progress: Progress, deadline_s: float
    ) -> tuple[Asked, ApiError | None]:
        """What was learned, and what went wrong; without an answer nothing was learned."""
        try:
            async with asyncio.timeout(deadline_s):
                asked = await self._ask(feed, planned, on_progress, deadline_s)
        except ApiError as error:
            return Asked({}, drift=drift_of(error)), error
        except TimeoutError:
            why = f"no answer within {deadline_s:.0f} s"
            return Asked({}, cut_off=True), TimedOut(plan.ENDPOINTS[feed], why)
        return asked, asked.failure(plan.ENDPOINTS[feed])

    def _suspicion(
        self, feed: str, asked: Asked, memory: plan.ListMemory, started: datetime
    ) -> SuspectList | None:
        """The reason not to believe a list, if there is one."""
        if asked.listed is None:
            return None
        return judge_list(
            feed,
            plan.ENDPOINTS[feed],
            asked.listed,
            asked.membership_hash,
            memory,
            now=started,
            cadence_s=self._cadence_s(feed),
        )

    async def _ask(
        self, feed: str, planned: plan.Plan, on_progress: Progress, deadline_s: float
    ) -> Asked:
        match feed:
            case "chains":
                return await ask_chains(self._client)
            case "fiats":
                return await ask_fiats(self._client)
            case "coins":
                return await ask_coins(self._client)
            case "networks":
                return await ask_networks(self._client)
            case "watchlist" if self._settings.watch.addresses or self._settings.watch.cwallet_ids:
                return await ask_watchlist(self._client, self._settings.watch)
        if not (planned.pairs or planned.coin_ids):
            raise plan.NothingToAsk(plan.ENDPOINTS[feed], feed)
        if feed == "prices":
            return await ask_prices(self._client, planned.coin_ids)
        return await ask_fees(
            self._client,
            planned.pairs,
            deadline_s=deadline_s - SWEEP_ENDS_BEFORE_S,
            workers=self._settings.max_connections,
            left_out=planned.left_out,
            progress=on_progress,
        )

    def _allowance(self) -> plan.Allowance:
        """How many fees this poll may ask for: its share of the day, and no more than it can."""
        now, cadence_s = self._now(), self._settings.feeds.fees
        limits = self._client.limits()
        left_s = (limits.resets_at - now).total_seconds()
        by_day = allowance(limits.left_for_fees, left_s, cadence_s)
        by_pace = reachable(limits.highest_rps, self._deadline_s("fees") - SWEEP_ENDS_BEFORE_S)
        # One is asked for in any case: with nothing left that is what tells that nothing is.
        return plan.Allowance(max(1, min(by_day, by_pace)), now, cadence_s)

    def _ends_a_gap(self, poll: Poll, answered_at: datetime | None) -> bool:
        """Whether readers have nothing of this feed, or only what is old for it.

        They should not wait for the next publication then, nor should the checks of the poll, which
        would call this gap a fault of the data that came after it.
        """
        if poll.outcome not in ("ok", "partial"):
            return False
        gap = poll.observed_at - answered_at if answered_at else timedelta.max
        return gap > timedelta(seconds=GAP_CADENCES * poll.cadence_s)

    def _commit(
        self, poll: Poll, planned: plan.Plan, error: ApiError | None, *, news: bool
    ) -> PollResult:
        # Before the writers' lock: this reads months.
        fees = poll.feed == "fees"
        usual = alerts.usual_fees(self._warehouse.place, poll.observed_at) if fees else None
        evaluate = partial(
            self._evaluate,
            usual=usual,
            limits=self._client.limits(),
            coverage=self._coverage(planned) if fees else None,
        )
        (committed,) = self._warehouse.commit([poll], evaluate=evaluate)
        status_changed = poll.feed == "chains" and committed.totals.changed > 0
        at_once = status_changed or committed.new_notices > 0 or fees or news
        published = self._warehouse.publish(force=at_once)
        return result_of(poll, committed, error, published)

    def _evaluate(
        self,
        con: duckdb.DuckDBPyConnection,
        poll: Poll,
        *,
        usual: alerts.Usual | None,
        limits: PacerStatus,
        coverage: Coverage | None,
    ) -> alerts.Evaluation:
        sync_watch_settings(con, self._settings)
        note_limits(con, poll, limits, coverage)
        return alerts.evaluate(con, poll, self._settings, usual)

    def _coverage(self, planned: plan.Plan) -> Coverage:
        asked, pairs = len(planned.pairs), len(planned.pairs) + len(planned.left_out)
        return Coverage(pairs, asked, longest_turn(pairs, asked) * self._settings.feeds.fees)

    def _cadence_s(self, feed: str) -> int:
        return self._settings.feeds.cadence_s(feed)

    def _deadline_s(self, feed: str) -> float:
        long = feed in ("fees", "watchlist")
        return DEADLINE_SHARE * self._cadence_s(feed) if long else LIST_DEADLINE_S
