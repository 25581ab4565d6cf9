"""fee_level: fees that are unusually high, by the rule of the view fee_spike_event, or low.

Low is below half of what is usual and half a dollar below it, in two polls in a row, until it is
within a fifth of the usual again: information for who can wait with a payout, never a warning.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import duckdb

from ccpay_io.alerts.subject import Observation
from ccpay_io.feeds.poll import Poll
from ccpay_io.store.rows import one

_OPEN_SINCE = """
    SELECT min(started_by) FROM store.alert_state WHERE kind = 'fee_level' AND phase <> 'quiet'
"""
# The rule takes a while for each pair: it is asked only about those far above what is usual
# (usual.py) and those that are open. Half of the way is far enough: what is usual moves slowly.
_SUSPECTS = """
    SELECT e.entity_id
    FROM store.withdraw_fee_entity AS e
    JOIN store.fee_usual AS u USING (entity_id)
    JOIN store.withdraw_fee_ready AS f ON f.coin_id = e.coin_id AND f.chain = e.chain
    WHERE f.fee_usd_then > 1.5 * u.usual_usd AND f.fee_usd_then > 0.5
    UNION
    SELECT e.entity_id
    FROM store.withdraw_fee_entity AS e
    JOIN store.alert_state AS s ON s.coin_id = e.coin_id AND s.chain = e.chain
    WHERE s.kind = 'fee_level' AND s.phase <> 'quiet'
    ORDER BY 1
"""
_SPIKES = """
    SELECT coin_id, coalesce(coin, coin_id::VARCHAR), chain,
           peak_usd, baseline_usd, ratio, cause, opened_at
    FROM store.fee_spikes_since($since::TIMESTAMPTZ, $pairs::BIGINT[])
    WHERE closed_at IS NULL
    ORDER BY coin_id, chain
"""
# Like a spike, it begins at twice as far from the usual as it ends.
_LOW = """
    SELECT f.coin_id, coalesce(f.coin, f.coin_id::VARCHAR), f.chain, f.fee_usd_then, u.usual_usd
    FROM store.withdraw_fee_entity AS e
    JOIN store.fee_usual AS u USING (entity_id)
    JOIN store.withdraw_fee_ready AS f ON f.coin_id = e.coin_id AND f.chain = e.chain
    LEFT JOIN store.alert_state AS s
        ON s.kind = 'fee_level' AND s.phase <> 'quiet' AND starts_with(s.value, 'low:')
        AND s.coin_id = e.coin_id AND s.chain = e.chain
    WHERE f.fee_usd_then < u.usual_usd / CASE WHEN s.kind IS NULL THEN 2 ELSE 1.2 END
      AND (s.kind IS NOT NULL OR u.usual_usd - f.fee_usd_then > 0.5)
    ORDER BY f.coin_id, f.chain
"""
# Without a value nothing is known of its level: a low fee that is not answered is still low.
_PAST = """
    SELECT s.key, s.subject, s.chain, s.coin_id
    FROM store.alert_state AS s
    LEFT JOIN store.withdraw_fee_ready AS f ON f.coin_id = s.coin_id AND f.chain = s.chain
    WHERE s.kind = 'fee_level' AND NOT (starts_with(s.value, 'low:') AND f.fee_usd_then IS NULL)
"""
# An event is known by its second high poll: look back over a few, and over all of what is open.
_LOOK_BACK = 4


def observe_fees(con: duckdb.DuckDBPyConnection, poll: Poll) -> list[Observation]:
    """One observation per pair whose fee is unusually high or low, or was."""
    if "withdraw_fee" not in poll.answers:
        return []
    since = _look_back_to(con, poll)
    unusual = {
        f"{coin_id} {chain}": _low(coin_id, coin, chain, now_usd, usual_usd, poll)
        for coin_id, coin, chain, now_usd, usual_usd in con.execute(_LOW).fetchall()
    }
    suspects = [pair for (pair,) in con.execute(_SUSPECTS).fetchall()]
    asked = {"since": since, "pairs": suspects}
    found = con.execute(_SPIKES, asked).fetchall() if suspects else []
    for coin_id, coin, chain, *event in found:
        unusual[f"{coin_id} {chain}"] = _high(coin_id, coin, chain, event, poll)
    past = con.execute(_PAST).fetchall()
    over = [
        Observation(
            "fee_level", key, subject, "good", "as usual", "info", None, poll.observed_at,
            chain=chain, coin_id=coin_id, clear_after=1,
        )
        for key, subject, chain, coin_id in past
        if key not in unusual
    ]  # fmt: skip
    return [*unusual.values(), *over]


def _look_back_to(con: duckdb.DuckDBPyConnection, poll: Poll) -> datetime:
    (oldest,) = one(con, _OPEN_SINCE)
    begun = min(oldest or poll.observed_at, poll.observed_at)
    return begun - timedelta(seconds=_LOOK_BACK * poll.cadence_s)


def _high(coin_id: int, coin: str, chain: str, event: list[object], poll: Poll) -> Observation:
    peak, usual, ratio, cause, opened_at = event
    because = "only the coin's price moved, not the fee" if cause == "price" else "the fee rose"
    if cause == "both":
        because = "the fee rose, and the coin's price too"
    return Observation(
        "fee_level",
        f"{coin_id} {chain}",
        f"fee of {coin} on {chain}",
        "bad",
        f"up to {peak:.2f} USD, usually {usual:.2f} USD ({ratio:.1f} times): {because}",
        "info" if cause == "price" else "warning",
        opened_at if isinstance(opened_at, datetime) else None,
        poll.observed_at,
        chain=chain,
        coin_id=coin_id,
        raise_after=1,
    )


def _low(
    coin_id: int, coin: str, chain: str, now_usd: Decimal, usual_usd: float, poll: Poll
) -> Observation:
    return Observation(
        "fee_level",
        f"{coin_id} {chain}",
        f"fee of {coin} on {chain}",
        "bad",
        f"low: {now_usd:.2f} USD, usually {usual_usd:.2f} USD",
        "info",
        None,
        poll.observed_at,
        chain=chain,
        coin_id=coin_id,
        raise_after=2,
    )
