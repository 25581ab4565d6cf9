"""What there is to know about alerts, as rows: for `ccpay alerts list` and `show`.

Owns the questions to the published tables. Reads only. Called by the command.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from ccpay_io.alerts.words import clock
from ccpay_io.feeds import plan
from ccpay_io.feeds.poll import utc_now

_FEEDS = {endpoint: feed for feed, endpoint in plan.ENDPOINTS.items()}


@dataclass(frozen=True)
class Alert:
    """One alert that is open, or was.

    Attributes:
        state: firing, recovering, or how it ended.
        age: how long it has lasted, or did.
        also: acknowledged, silenced, explained by another, flapping, stale.
    """

    alert_id: str
    kind: str
    subject: str
    severity: str
    value: str
    state: str
    started_by: datetime
    age: timedelta
    also: str


# The watch also judges whether the data of the others is late.
_OPEN = """
    WITH shown AS (
        SELECT
            *,
            CASE kind
                WHEN 'chain_status' THEN 'chains'
                WHEN 'freshness' THEN 'chains'
                WHEN 'payout_route' THEN 'fees'
                WHEN 'fee_level' THEN 'fees'
                ELSE $feeds[list_position($endpoints, split_part(key, ' ', 1))]
            END AS feed
        FROM store.alert_state
        WHERE phase IN ('firing', 'recovering') OR flapping_since IS NOT NULL
    )

    SELECT
        s.alert_id, s.kind, s.subject, s.severity, s.value, s.phase, s.started_by,
        $now - s.started_by,
        concat_ws(', ',
            'acknowledged by ' || a.author,
            'explained by ' || cause.subject,
            -- In force now, whatever the last poll found: polls may be rare, or have stopped.
            'silence ' || (
                SELECT min(q.silence_id) FROM store.alert_silence AS q
                WHERE q.starts_at <= $now AND q.until > $now
                    AND (q.kind IS NULL OR q.kind = s.kind)
                    AND (q.chain IS NULL OR q.chain = s.chain)
                    AND (q.coin_id IS NULL OR q.coin_id = s.coin_id)
                    AND (q.alert_id IS NULL OR q.alert_id = s.alert_id)
            ),
            CASE WHEN s.flapping_since IS NOT NULL THEN 'flapping' END,
            CASE
                WHEN store.is_stale(s.feed, s.last_known_at)
                    THEN 'stale: last answer ' || strftime(s.last_known_at, '%Y-%m-%d %H:%M UTC')
            END
        )
    FROM shown AS s
    LEFT JOIN store.alert_ack AS a ON a.alert_id = s.alert_id AND a.cleared_at IS NULL
    LEFT JOIN store.alert_episode AS cause ON s.muted_by = 'alert:' || cause.alert_id
    ORDER BY list_position(['critical', 'warning', 'info'], s.severity), s.started_by
"""
_TITLE = """
    SELECT severity, subject, kind, started_after, started_by, ended_after, ended_by
    FROM store.alert_episode
    WHERE alert_id = $id
    UNION ALL
    SELECT severity, subject, kind, started_after, started_by, NULL, NULL FROM store.alert_state
    WHERE alert_id = $id
    LIMIT 1
"""
_PAST = """
    SELECT alert_id, kind, subject, severity, value, coalesce(closed_reason, 'resolved'),
        started_by, resolved_at - started_by, ''
    FROM store.alert_episode
    WHERE resolved_at IS NOT NULL
    ORDER BY started_by DESC
    LIMIT 100
"""
_SILENCES = """
    SELECT silence_id, concat_ws(' ', 'kind=' || kind, 'chain=' || chain, 'coin=' || coin_id,
        'alert=' || alert_id), until, author, reason
    FROM store.alert_silence
    WHERE until > ?
    ORDER BY silence_id
"""


def open_alerts(con: duckdb.DuckDBPyConnection) -> list[Alert]:
    """What is open or flapping, critical ones first."""
    asked = {"now": utc_now(), "endpoints": list(_FEEDS), "feeds": list(_FEEDS.values())}
    return [Alert(*row) for row in con.execute(_OPEN, asked).fetchall()]


def title_of(con: duckdb.DuckDBPyConnection, alert_id: str) -> str:
    """Severity, subject, kind, since when and until when, in a line."""
    row = con.execute(_TITLE, {"id": alert_id}).fetchone()
    if row is None:
        return ""
    severity, subject, kind, *began, ended_after, ended_by = row
    over = f", ended {_about(ended_after, ended_by)}" if ended_by else ""
    return f"{severity}  {subject}  {kind}  began {_about(*began)}{over}"


def _about(after: datetime | None, by: datetime) -> str:
    return f"between {clock(after)} and {clock(by)}" if after else f"by {clock(by)}"


def past_alerts(con: duckdb.DuckDBPyConnection) -> list[Alert]:
    """The last hundred that are over, newest first."""
    return [Alert(*row) for row in con.execute(_PAST).fetchall()]


def silences(con: duckdb.DuckDBPyConnection) -> list[tuple[int, str, datetime, str, str]]:
    """(silence_id, matchers, until, author, reason) of the silences that are not over."""
    return con.execute(_SILENCES, [utc_now()]).fetchall()


def story_of(con: duckdb.DuckDBPyConnection, alert_id: str) -> list[tuple[datetime, str]]:
    """(when, what) of everything that happened to an alert, in order."""
    rows = con.execute(
        """
        SELECT opened_at, 'opened: ' || value FROM store.alert_episode WHERE alert_id = $id
        UNION ALL
        SELECT muted_from, 'muted by ' || muted_by FROM store.alert_muting WHERE alert_id = $id
        UNION ALL
        SELECT muted_to, 'no longer muted by ' || muted_by FROM store.alert_muting
        WHERE alert_id = $id AND muted_to IS NOT NULL
        UNION ALL
        SELECT acked_at, 'acknowledged by ' || author || ': ' || reason FROM store.alert_ack
        WHERE alert_id = $id
        UNION ALL
        SELECT d.finished_at, n.transition || ' to ' || n.channel || ': '
            || d.outcome || coalesce(' (' || d.error || ')', '')
        FROM store.alert_outbox AS n JOIN store.alert_delivery AS d USING (notice_id)
        WHERE list_contains(n.alert_ids, $id)
        UNION ALL
        SELECT created_at, transition || ' to ' || channel || ': '
            || CASE WHEN merged_into IS NULL THEN 'not sent yet' ELSE 'told with a later one' END
        FROM store.alert_outbox
        WHERE list_contains(alert_ids, $id) AND delivered_at IS NULL AND dead_at IS NULL
        UNION ALL
        SELECT resolved_at, coalesce(closed_reason, 'resolved') FROM store.alert_episode
        WHERE alert_id = $id AND resolved_at IS NOT NULL
        ORDER BY 1
        """,
        {"id": alert_id},
    ).fetchall()
    return [(moment, what) for moment, what in rows]
