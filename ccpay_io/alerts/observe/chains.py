"""chain_status: normal, in maintenance, or not listed; only for chains that were answered."""

from __future__ import annotations

from datetime import datetime

import duckdb

from ccpay_io.alerts.subject import Observation, Verdict
from ccpay_io.feeds.poll import Poll

_VERDICTS: dict[str, Verdict] = {"maintenance": "bad", "normal": "good", "absent": "absent"}


def observe_chains(con: duckdb.DuckDBPyConnection, poll: Poll) -> list[Observation]:
    """One observation per chain in maintenance, lately vanished, or with a past.

    The others are normal and were: there is nothing to say about them.
    """
    if "chain" not in poll.answers:
        return []
    rows = con.execute(
        """
        SELECT e.chain, c.state, c.status_raw, store.is_watched_chain(e.chain)
        FROM store.chain_entity AS e JOIN store.chain_current AS c USING (entity_id)
        WHERE (c.answered_poll_id = $poll_id OR c.state = 'absent')
          AND (c.state = 'maintenance'
               OR (c.state = 'absent' AND c.changed_by > $at - INTERVAL 1 DAY)
               OR e.chain IN (SELECT key FROM store.alert_state WHERE kind = 'chain_status'))
        ORDER BY e.chain
        """,
        {"poll_id": poll.poll_id, "at": poll.observed_at},
    ).fetchall()
    after = _last_normal(con, [chain for chain, state, *_ in rows if state == "maintenance"])
    return [
        Observation(
            "chain_status",
            chain,
            chain,
            _VERDICTS.get(state, "unknown"),
            raw or state,
            "critical" if watched else "info",
            after.get(chain),
            poll.observed_at,
            chain=chain,
        )
        for chain, state, raw, watched in rows
    ]


def _last_normal(con: duckdb.DuckDBPyConnection, chains: list[str]) -> dict[str, datetime]:
    """When each of these chains was last answered Normal: what hid its status since proves nothing.

    Only for chains that begin to be in maintenance; the others have their start in their state.
    """
    if not chains:
        return {}
    rows = con.execute(
        """
        WITH normal AS (
            SELECT e.chain, max(s.to_no) AS until_no
            FROM store.chain_entity AS e JOIN store.chain_stretch AS s USING (entity_id)
            WHERE list_contains($chains, e.chain) AND s.state = 'normal'
              AND s.unknown_reason IS NULL
              AND e.chain NOT IN (
                  SELECT key FROM store.alert_state
                  WHERE kind = 'chain_status' AND phase <> 'quiet')
            GROUP BY e.chain
        )

        SELECT n.chain, max(p.observed_at)
        FROM normal AS n
        JOIN store.poll AS p ON p.poll_no < n.until_no
        WHERE p.feed = 'chains' AND p.outcome IN ('ok', 'partial')
        GROUP BY n.chain
        """,
        {"chains": chains},
    ).fetchall()
    return dict(rows)
