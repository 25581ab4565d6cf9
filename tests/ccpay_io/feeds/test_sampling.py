"""Sampling: a budget that is too small goes to what moves and what is watched, within a promise."""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ccpay_io.budget import reserves
from ccpay_io.feeds.collector import DEADLINE_SHARE, SWEEP_ENDS_BEFORE_S
from ccpay_io.feeds.result import PollResult
from ccpay_io.feeds.sampling import (
    LONGEST_TURN,
    Candidate,
    allowance,
    choose,
    longest_turn,
)
from ccpay_io.feeds.session import open_pacer, open_warehouse
from ccpay_io.pacing import Pacer
from ccpay_io.settings import Settings

Collect = Callable[..., PollResult]


@dataclasses.dataclass
class Market:
    """Pairs with a history of being asked; a poll passes with each turn."""

    moved: list[float]
    watched: frozenset[int] = frozenset()
    silent: frozenset[int] = frozenset()
    asked: Counter[int] = dataclasses.field(default_factory=Counter)
    oldest: dict[int, int] = dataclasses.field(default_factory=dict)
    answered: dict[int, int] = dataclasses.field(default_factory=dict)

    def turn(self, now: int, allowed: int) -> None:
        """One poll: chooses, asks, and notes how old each answer had become."""
        candidates = [
            Candidate(
                (i, "X"),
                now - self.answered[i] if i in self.answered else None,
                moved,
                i in self.watched,
                i in self.silent and self.asked[i] > 0,
            )
            for i, moved in enumerate(self.moved)
        ]
        chosen, left = choose(candidates, allowed)
        assert len(chosen) == min(allowed, len(candidates))
        assert sorted(chosen + left) == sorted(c.pair for c in candidates)
        for i, _ in chosen:
            self.asked[i] += 1
            if i not in self.silent:
                if i in self.answered:
                    self.oldest[i] = max(self.oldest.get(i, 0), now - self.answered[i])
                self.answered[i] = now


def run(market: Market, allowed: int, polls: int) -> Market:
    """So many polls with the same allowance."""
    for now in range(polls):
        market.turn(now, allowed)
    return market


def test_what_moves_is_asked_four_times_as_often_as_what_does_not() -> None:
    """With half of the budget, what moves is asked four times as often, nothing beyond the turn."""
    moving, still = 60, 100
    market = run(Market([0.6] * moving + [0.0] * still), 80, 200)
    often = min(market.asked[i] for i in range(moving))
    seldom = max(market.asked[i] for i in range(moving, moving + still))
    assert often >= 4 * seldom
    assert max(market.oldest.values()) <= LONGEST_TURN


def test_what_is_watched_goes_before_what_is_not() -> None:
    """Of pairs that move alike, those that the user names are asked far more often."""
    market = run(Market([0.1] * 100, watched=frozenset(range(10))), 40, 200)
    watched = min(market.asked[i] for i in range(10))
    assert watched > 2 * max(market.asked[i] for i in range(10, 100))


@pytest.mark.parametrize("allowed", [160, 161, 10_000])
def test_with_enough_budget_every_pair_is_asked(allowed: int) -> None:
    """Nothing is left out as long as the budget reaches."""
    market = run(Market([0.0] * 80 + [1.0] * 80), allowed, 5)
    assert set(market.asked.values()) == {5}


def test_pairs_that_never_answer_keep_nobody_waiting() -> None:
    """They are always due, and get every second place at most."""
    market = run(Market([0.2] * 100, silent=frozenset(range(30))), 40, 200)
    assert max(market.oldest[i] for i in range(30, 100)) <= longest_turn(100, 40) + 1


@examples(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.05, 0.3, 1.0]), min_size=1, max_size=120), st.data())
def test_no_pair_becomes_older_than_promised(moved: list[float], data: st.DataObject) -> None:
    """Whatever moves and however little may be asked, the longest turn is kept."""
    allowed = data.draw(st.integers(1, len(moved)))
    watched = data.draw(st.frozensets(st.integers(0, len(moved) - 1)))
    promise = longest_turn(len(moved), allowed)
    market = run(Market(moved, watched), allowed, 4 * promise)
    assert len(market.answered) == len(moved)
    assert max(market.oldest.values(), default=0) <= promise


@pytest.mark.parametrize(
    ("left", "left_s", "cadence_s", "allowed"),
    [(288_000, 86_400, 300, 1000), (1000, 299, 300, 1000), (10, 86_400, 300, 0), (0, 10, 300, 0)],
)
def test_what_is_left_lasts_until_the_day_ends(
    left: int, left_s: float, cadence_s: int, allowed: int
) -> None:
    """Each poll may use its share of what is left, rounded down."""
    assert allowance(left, left_s, cadence_s) == allowed


def test_a_day_on_half_of_what_is_needed(tmp_path: Path) -> None:
    """From midnight to midnight: chains always asked, no pair older than promised, all by claim."""
    day = datetime(2026, 5, 4, tzinfo=UTC).timestamp()
    moment, cadence_s, pairs, moving = day, 300, 24, 9
    reserve = 1.1 / cadence_s
    needed = 288 * (pairs + 1)

    async def no_time(seconds: float) -> None:
        nonlocal moment
        moment += seconds

    pacer = Pacer(
        tmp_path / "limits.sqlite", credentials_key="x", daily_budget=needed // 2,
        reserves=(reserve, 0.0), start_rps=50, now=lambda: moment, sleep=no_time,
    )  # fmt: skip
    market = Market([0.6] * moving + [0.0] * (pairs - moving))
    turns = set()

    async def live() -> None:
        nonlocal moment
        for poll in range(288):
            moment = day + poll * cadence_s
            await pacer.acquire("getChainList")
            limits = pacer.status()
            left_s = limits.resets_at.timestamp() - moment
            allowed = allowance(limits.left_for_fees, left_s, cadence_s)
            turns.add(longest_turn(pairs, allowed))
            before = sum(market.asked.values())
            market.turn(poll, allowed)
            for _ in range(sum(market.asked.values()) - before):
                await pacer.acquire("getWithdrawFee")

    asyncio.run(live())
    assert pacer.status().used_today > 0.95 * (needed // 2)
    assert max(market.oldest.values()) <= max(turns) <= LONGEST_TURN
    often = min(market.asked[i] for i in range(moving))
    assert often >= 4 * max(market.asked[i] for i in range(moving, pairs))


def with_budget_for(settings: Settings, fees_per_poll: int) -> Settings:
    """Settings with a budget that lasts today for so many fees a poll, beside what is used.

    Shortly before midnight that is most of what a day of tests has used.
    """
    left_s = 86_400 - datetime.now(UTC).timestamp() % 86_400
    polls = math.ceil(left_s / settings.feeds.fees)
    kept = math.ceil(sum(reserves(settings)) * left_s)
    used = open_pacer(settings).status().used_today
    return dataclasses.replace(settings, daily_budget=fees_per_poll * polls + kept + used)


def test_a_poll_says_what_it_did_not_ask(
    polled: Settings, collect: Collect, query: Callable[..., list[tuple[object, ...]]]
) -> None:
    """What the budget left out is unknown for that reason, never the value of the poll before."""
    pairs = query("SELECT count(*) FROM withdraw_fee_now")[0][0]
    assert isinstance(pairs, int)
    # Each gets its half, as in the last minutes of a day one poll may use all that is left.
    results = [collect("fees", with_settings=with_budget_for(polled, pairs // 2)) for _ in range(2)]
    for number, result in enumerate(results, 1):
        snapshot = dict(
            query(
                "SELECT coalesce(unknown_reason, state), count(*) FROM withdraw_fee_snapshot"
                " WHERE poll_id = ? GROUP BY ALL",
                result.poll_id,
            )
        )
        asked = result.rows
        assert result.outcome == "partial", number
        assert result.error is None
        assert result.left_out == snapshot["budget"] == pairs - asked
        assert 0 < asked <= pairs // 2 + 1
        assert f"{asked:,} of {pairs:,} asked" in result.coverage
        assert sum(snapshot.values()) == pairs
        filled = query(
            "SELECT count(*) FROM withdraw_fee_snapshot"
            " WHERE poll_id = ? AND unknown_reason = 'budget' AND fee_amount IS NOT NULL",
            result.poll_id,
        )
        assert filled == [(0,)]


def test_a_pace_that_does_not_reach_is_a_small_budget(polled: Settings, collect: Collect) -> None:
    """A poll asks for as many as it gets through in its time, by claim, and says so."""
    pairs = collect("fees").rows
    feeds = polled.feeds.model_copy(update={"fees": 6})
    slow = dataclasses.replace(polled, feeds=feeds, max_rps=20.0)
    reached = int(20 * (DEADLINE_SHARE * 6 - SWEEP_ENDS_BEFORE_S))
    result = collect("fees", with_settings=slow)
    assert result.left_out == pairs - reached > 0
    assert f"of {pairs:,} asked" in result.coverage


def test_an_empty_budget_covers_nothing(
    polled: Settings, collect: Collect, query: Callable[..., list[tuple[object, ...]]]
) -> None:
    """Where nothing is left for fees the coverage says so; it is not that of all pairs."""
    collect("fees", with_settings=with_budget_for(polled, 0))
    ((pct, age_s),) = query(
        "SELECT fee_coverage_pct::DOUBLE, fee_longest_age_s FROM api_budget_now"
    )
    assert 0 < pct < 5
    assert age_s > 300 * LONGEST_TURN


def test_what_is_left_is_a_view(
    polled: Settings, collect: Collect, query: Callable[..., list[tuple[object, ...]]]
) -> None:
    """Used, left, pace and coverage are as the limits file has them; a day that is over is not."""
    full = collect("fees")
    ((used, left, allowed, pace, pairs, asked, pct, age_s, stale),) = query(
        "SELECT requests_used, requests_left, requests_allowed, pace_rps, fee_pairs,"
        " fee_pairs_asked, fee_coverage_pct, fee_longest_age_s, is_stale FROM api_budget_now"
    )
    assert used == open_pacer(polled).status().used_today
    assert (left, allowed, pace) == (700_000 - used, 700_000, 1000)
    assert (pairs, asked, pct, age_s, stale) == (full.rows, full.rows, 100, 300, False)
    poor = with_budget_for(polled, full.rows // 2)
    result = collect("fees", with_settings=poor)
    collect("chains")
    ((asked, pct, age_s),) = query(
        "SELECT fee_pairs_asked, fee_coverage_pct::DOUBLE, fee_longest_age_s FROM api_budget_now"
    )
    assert asked == result.rows
    assert pct == pytest.approx(100 * result.rows / full.rows, abs=0.01)
    assert age_s == 300 * LONGEST_TURN
    with open_warehouse(polled).transaction() as con:
        con.execute("UPDATE store.api_budget SET resets_at = now() - INTERVAL 1 SECOND")
    assert query("SELECT requests_used, requests_left FROM api_budget_now") == [(None, None)]
