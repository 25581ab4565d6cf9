"""Which pairs a fee poll asks for when its budget does not cover all of them: what the day has left
for it, or what it can ask for in its time at the pace that the API allows.

Owns the choice: by how much each pair moves, how much the user cares, and how long ago it was
answered, as pure functions; and the query that finds these out. What is left out is unknown in that
poll's snapshot, for the reason `budget`. Called by plan.py.

A pair's claim is its weight times the polls since its last answer, so it is asked in proportion to
its weight: a pair that moves in every poll sixteen times as often as one that never does, a watched
one four times as often as another. Before all claims come the pairs that would become older than
promised. Those that were asked in one poll become due in one poll, and never more than that were.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, zip_longest

import duckdb

Pair = tuple[int, str]

# The reason under which a pair that was not asked for is unknown.
REASON = "budget"
# Every pair is asked at least every so many polls, or more where half the budget takes that long.
LONGEST_TURN = 8
MOVING_WEIGHT = 15.0
WATCHED_WEIGHT = 4.0
# How far back movement is looked at.
LOOK_BACK_S = 86_400


@dataclass(frozen=True)
class Candidate:
    """A pair that could be asked for.

    Attributes:
        polls_old: polls since its last answer; None when there never was one.
        moved: share of its last answers that differ from the one before, 0 to 1.
        is_watched: whether ccpay.toml names its coin or chain.
        is_silent: whether it was asked the last time and did not answer.
    """

    pair: Pair
    polls_old: float | None
    moved: float
    is_watched: bool
    is_silent: bool

    @property
    def claim(self) -> float:
        """How much it should be asked now."""
        care = WATCHED_WEIGHT if self.is_watched else 1.0
        return care * (1 + MOVING_WEIGHT * self.moved) * (self.polls_old or 0)


def allowance(left: int, left_of_day_s: float, cadence_s: int) -> int:
    """How many fees one poll may ask for, so that what is left of the day lasts until its end."""
    return left // max(1, math.ceil(left_of_day_s / cadence_s))


def reachable(pace_rps: float, seconds: float) -> int:
    """How many fees a poll gets to ask for in its time at the highest pace that is allowed."""
    return max(1, int(pace_rps * seconds))


def longest_turn(pairs: int, allowed: int) -> int:
    """Polls within which every pair is asked, whatever its claim: the promise."""
    return 1 if allowed >= pairs else max(LONGEST_TURN, math.ceil(2 * pairs / max(1, allowed)))


def choose(candidates: Sequence[Candidate], allowed: int) -> tuple[list[Pair], list[Pair]]:
    """Those to ask for, in this order, and those to leave out.

    A pair that does not answer stays due; it takes turns with the others that are, and so cannot
    keep them waiting.
    """
    due_from = longest_turn(len(candidates), allowed) - 1
    due = [c for c in candidates if c.polls_old is None or c.polls_old >= due_from]
    due.sort(key=lambda c: -math.inf if c.polls_old is None else -c.polls_old)
    speaking = [c for c in due if not c.is_silent]
    silent = [c for c in due if c.is_silent]
    turns = [c for c in chain.from_iterable(zip_longest(speaking, silent)) if c is not None]
    is_due = {c.pair for c in due}
    others = sorted((c for c in candidates if c.pair not in is_due), key=lambda c: -c.claim)
    order = [c.pair for c in (*turns, *others)]
    return order[:allowed], order[allowed:]


def candidates_of(
    con: duckdb.DuckDBPyConnection, pairs: Sequence[Pair], now: datetime, cadence_s: int
) -> list[Candidate]:
    """What the store knows about these pairs, in their order."""
    parameters = {"now": now, "cadence_s": cadence_s, "look_back_s": LOOK_BACK_S, "reason": REASON}
    rows = con.execute(_KNOWN, parameters).fetchall()
    known = {(coin_id, chain_): rest for coin_id, chain_, *rest in rows}
    return [Candidate(pair, *known.get(pair, (None, 0.5, False, False))) for pair in pairs]


# An answer counts once for each fee poll in which it held; it moved when it differs from the one
# before it, whatever lay between them. Half a movement is added, so that what was hardly ever asked
# is not taken for still.
_KNOWN = """
    WITH polled AS (
        SELECT poll_no, row_number() OVER (ORDER BY poll_no) AS n
        FROM store.poll
        WHERE feed = 'fees' AND observed_at > $now - to_seconds($look_back_s)
    ),

    stretch AS (
        SELECT entity_id, from_no, to_no,
               hash(state, refusal_code, fee_amount_digits, fee_amount_scale, fee_amount_large,
                    fee_coin_id) AS said
        FROM store.withdraw_fee_stretch
        WHERE unknown_reason IS NULL AND to_no >= (SELECT min(poll_no) FROM polled)
        UNION ALL
        SELECT entity_id, since_no, NULL,
               hash(state, refusal_code, store.digits(fee_amount),
                    CASE WHEN store.digits(fee_amount) IS NOT NULL THEN store.scale(fee_amount) END,
                    CASE WHEN store.digits(fee_amount) IS NULL THEN fee_amount END, fee_coin_id)
        FROM store.withdraw_fee_current
        WHERE unknown_reason IS NULL AND since_no IS NOT NULL
    ),

    counted AS (
        SELECT s.entity_id,
               coalesce(t.n, (SELECT max(n) + 1 FROM polled)) - coalesce(f.n, 1) AS answers,
               s.said <> lag(s.said) OVER (PARTITION BY s.entity_id ORDER BY s.from_no) AS moved
        FROM stretch AS s
        LEFT JOIN polled AS f ON f.poll_no = s.from_no
        LEFT JOIN polled AS t ON t.poll_no = s.to_no
    ),

    movement AS (
        SELECT entity_id, (count(*) FILTER (WHERE moved) + 0.5) / (sum(answers) + 1) AS moved
        FROM counted GROUP BY entity_id
    )

    SELECT
        e.coin_id,
        e.chain,
        greatest(0, round((epoch($now) - epoch(c.answered_at)) / $cadence_s)) AS polls_old,
        least(1, coalesce(m.moved, 0.5))::DOUBLE AS moved,
        EXISTS (FROM store.watch_setting AS w
                WHERE (w.kind = 'chain' AND w.name = e.chain)
                   OR (w.kind = 'coin' AND w.name = coin.coin)) AS is_watched,
        coalesce(c.unknown_reason NOT IN ($reason, 'deadline', 'not_asked'), false) AS is_silent
    FROM store.withdraw_fee_entity AS e
    LEFT JOIN store.withdraw_fee_current AS c USING (entity_id)
    LEFT JOIN movement AS m USING (entity_id)
    LEFT JOIN main.coin AS coin USING (coin_id)
"""
