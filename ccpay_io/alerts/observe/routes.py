"""payout_route: whether a coin can be paid out on a chain that is itself normal.

Blocked is a fee request refused with 13004 or 14004, or a coin list that says canWithdraw = false.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from ccpay_io.alerts.subject import Observation, Verdict
from ccpay_io.feeds.poll import Poll

_ROUTES = """
    WITH route AS (
        SELECT
            e.coin_id, e.chain, f.state, f.refusal_code,
            f.unknown_reason IS NULL AND f.answered_poll_id = $poll_id AS is_answered,
            f.changed_after,
            n.can_withdraw IS NOT DISTINCT FROM false AND n.unknown_reason IS NULL AS is_closed
        FROM store.withdraw_fee_entity AS e
        JOIN store.withdraw_fee_current AS f USING (entity_id)
        LEFT JOIN store.coin_network_entity AS ne ON ne.coin_id = e.coin_id AND ne.chain = e.chain
        LEFT JOIN store.coin_network_current AS n ON n.entity_id = ne.entity_id
    ),

    named AS (SELECT kind, name FROM store.watch_setting WHERE kind IN ('chain', 'coin'))

    SELECT
        r.coin_id, coalesce(c.coin, r.coin_id::VARCHAR), r.chain, r.state, r.refusal_code,
        r.is_answered, r.is_closed, r.changed_after,
        CASE
            WHEN EXISTS (FROM named) THEN EXISTS (
                FROM named AS n
                WHERE (n.kind = 'chain' AND n.name = r.chain)
                   OR (n.kind = 'coin' AND n.name IN (c.coin, r.coin_id::VARCHAR)))
            ELSE store.is_watched_chain(r.chain)
        END
    FROM route AS r
    LEFT JOIN main.coin AS c USING (coin_id)
    WHERE r.refusal_code IN (13004, 14004) OR r.is_closed
       OR r.coin_id || ' ' || r.chain IN (
           SELECT key FROM store.alert_state WHERE kind = 'payout_route')
    ORDER BY r.coin_id, r.chain
"""
_REFUSALS = (13004, 14004)


def observe_routes(
    con: duckdb.DuckDBPyConnection, poll: Poll, last: datetime | None
) -> list[Observation]:
    """One observation per route that is blocked, or has a past."""
    if "withdraw_fee" not in poll.answers:
        return []
    seen = []
    for coin_id, coin, chain, state, code, answered, closed, after, watched in con.execute(
        _ROUTES, {"poll_id": poll.poll_id}
    ).fetchall():
        verdict, value = _verdict(state, code, answered, closed)
        seen.append(
            Observation(
                "payout_route",
                f"{coin_id} {chain}",
                f"{coin} on {chain}",
                verdict,
                value,
                "critical" if watched else "info",
                after if code in _REFUSALS else last,
                poll.observed_at,
                chain=chain,
                coin_id=coin_id,
            )
        )
    return seen


def _verdict(state: str, code: int | None, answered: bool, closed: bool) -> tuple[Verdict, str]:
    if state == "absent":
        return "gone", "no longer in the coin list"
    if answered and code in _REFUSALS:
        return "bad", f"the fee request is refused with code {code}"
    if closed:
        return "bad", "the coin list says canWithdraw = false"
    if answered and state == "ok":
        return "good", "usable"
    return "unknown", "not answered"
