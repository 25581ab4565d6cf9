"""Histories that try to break the answers: what a bad fortnight of polls hands to the store.

Owns which polls there are and when: gaps between them, failures, repeats, sweeps that overlap,
cadences that change. What each one says is invented by market.py. The same seed gives the same
history. Called by the tests of this folder.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from market import Market

from ccpay_io.feeds.poll import Answers, Outcome, Poll, poll_id_at
from ccpay_io.models import Drift

# Cadences before, during and after the change in the middle of a history, in seconds.
CADENCES = {
    "chains": (1800, 900, 2400),
    "fiats": (10_800, 10_800, 7200),
    "coins": (21_600, 21_600, 21_600),
    "networks": (21_600, 7200, 14_400),
    "prices": (3600, 1800, 5400),
    "fees": (3600, 1200, 3600),
    "watchlist": (43_200, 86_400, 50_000),
}
_FAILURES = ((None, "TimedOut"), (11004, "RateLimited"), (10001, "ServerError"), (None, None))
_SKIPS = ((11014, "BreakerOpen"), (None, "BudgetExhausted"), (11014, None))
_DRIFTS = (
    Drift("getWithdrawFee", "data.fee.extra", "new_field", "extra", None, '{"extra": 1}'),
    Drift("getChainList", "data.chains[].status", "unknown_enum", "Frozen", ("BSC",), "BSC"),
    Drift("getFiatList", "data.fiats[].usdRate", "bad_value", "1e3", (4,), '{"usdRate": "1e3"}'),
)


def history(seed: int, since: datetime, until: datetime) -> list[Poll]:
    """The polls of this time in the order in which they are stored: as their answers came in."""
    rng = random.Random(seed)  # noqa: S311 - the same history for everybody
    market = Market(rng)
    asked = sorted(
        (attempt for feed in CADENCES for attempt in _attempts(rng, feed, since, until)),
        key=lambda attempt: attempt.observed_at,
    )
    polls: list[Poll] = []
    for attempt in asked:
        polls.append(_answered(rng, market, attempt))
        if rng.random() < 0.01:
            # A rerun hands over what has been stored already.
            polls.append(rng.choice(polls[-20:]))
    return polls


def _attempts(rng: random.Random, feed: str, since: datetime, until: datetime) -> Iterator[Poll]:
    """When a feed is asked: some polls are late, some are left out for hours, some are close."""
    length = until - since
    moment = since + timedelta(seconds=rng.randrange(600))
    observed = since
    while moment < until:
        part = (0.0, 0.45, 0.6)
        step = CADENCES[feed][sum((moment - since) / length >= p for p in part) - 1]
        took = timedelta(seconds=rng.choice((0, 1, 20, 110)), microseconds=rng.randrange(10**6))
        if feed == "fees" and rng.random() < 0.1:
            took += timedelta(seconds=1.3 * step)
        # Two answers of one feed never come at the same microsecond.
        observed = (
            max(moment + took, observed + timedelta(microseconds=1))
            if (rng.random() < 0.8)
            else moment + took
        )
        yield Poll(
            poll_id=poll_id_at(moment),
            feed=feed,
            outcome="ok",
            started_at=moment,
            observed_at=observed,
            requests=rng.randrange(4),
            writer="hostile",
            cadence_s=step,
        )
        wait = step * rng.choice((1, 1, 1, 1, 1, 0.98, 1.02, 0.25))
        if rng.random() < 0.015:
            wait += rng.randrange(3, 15) * 3600
        moment += timedelta(seconds=wait)
        if moment.hour == 23 and rng.random() < 0.7:
            moment = _around_midnight(rng, moment)


def _around_midnight(rng: random.Random, moment: datetime) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return midnight + rng.choice((-1, 0, 1)) * timedelta(microseconds=1)


def _answered(rng: random.Random, market: Market, attempt: Poll) -> Poll:
    luck = rng.random()
    if luck < 0.05:
        return _silent(attempt, "failed", *rng.choice(_FAILURES))
    if luck < 0.09:
        return _silent(attempt, "skipped", *rng.choice(_SKIPS))
    answers: dict[str, Answers] = market.ask(attempt.feed)
    code, name = rng.choice(_FAILURES)
    is_partial = any(said.gaps for said in answers.values())
    return replace(
        attempt,
        outcome="partial" if is_partial else "ok",
        answers=answers,
        error_code=code if is_partial else None,
        error_name=name if is_partial else None,
        drift=(rng.choice(_DRIFTS),) if rng.random() < 0.02 else (),
    )


def _silent(attempt: Poll, outcome: Outcome, code: int | None, name: str | None) -> Poll:
    return replace(attempt, outcome=outcome, error_code=code, error_name=name)
