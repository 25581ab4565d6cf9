"""The words of a notice: plain text that reads well in a terminal, a chat and an e-mail.

Owns titles, bodies and the JSON payload. The API says that in Maintenance deposits and withdrawals
may be delayed or cannot be processed, so a chain is "in maintenance", never "down". Called by
book.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from ccpay_io.alerts.engine import Instance
from ccpay_io.feeds.poll import Poll
from ccpay_io.settings import Settings

_RANK = ("info", "warning", "critical")
_LISTED = 10
_SOURCE_STATES = {
    "auth": "does not let us in",
    "banned": "has banned this IP",
    "quota": "gives no more answers today",
    "throttled": "asks us to slow down",
}


@dataclass(frozen=True)
class Notice:
    """One message, before it has a channel."""

    transition: str
    severity: str
    alerts: Sequence[Instance]
    title: str
    body: str
    payload: dict[str, Any]


def word_notice(
    con: duckdb.DuckDBPyConnection,
    poll: Poll,
    transition: str,
    alerts: Sequence[Instance],
    settings: Settings,
) -> Notice:
    """Words one notice about one or many alerts that opened, or resolved, in the same poll.

    Args:
        con: to look up what a chain in maintenance affects.
        poll: in which they did.
        transition: "opened" or "resolved".
        alerts: the alerts, at least one.
        settings: for the environment's name.
    """
    severity = max((a.severity for a in alerts), key=_RANK.index)
    place = "[sandbox] " if settings.environment == "sandbox" else ""
    lines = [line for alert in alerts[:_LISTED] for line in _about(con, transition, alert)]
    if len(alerts) > _LISTED:
        others = ", ".join(alert.subject for alert in alerts[_LISTED:])
        lines.append(f"and {len(alerts) - _LISTED} more: {others}")
    lines += [f"Look closer: {_sql(alerts[0])}", f"Seen at {_time(poll.observed_at)}."]
    payload = {
        "type": f"ccpay.alert.{transition}",
        "timestamp": poll.observed_at.isoformat(),
        "environment": settings.stamp,
        "severity": severity,
        "poll_id": poll.poll_id,
        "alerts": [_as_data(alert) for alert in alerts],
    }
    title = place + _title(transition, alerts)
    return Notice(transition, severity, alerts, title, "\n".join(lines), payload)


def _title(transition: str, alerts: Sequence[Instance]) -> str:
    first = alerts[0]
    if len(alerts) == 1:
        return f"{first.subject} {_state(transition, first)}"
    if transition == "opened" and all(alert.started_after is None for alert in alerts):
        return f"State at start: {_named(alerts)}"
    return f"{_named(alerts)}: {transition}"


def _named(alerts: Sequence[Instance]) -> str:
    chains = [alert.subject for alert in alerts if alert.kind == "chain_status"]
    others = [alert.subject for alert in alerts if alert.kind != "chain_status"]
    parts = [f"{len(chains)} chains" if len(chains) > 1 else "".join(chains), *others]
    return ", ".join(part for part in parts if part)


def _state(transition: str, alert: Instance) -> str:
    match alert.kind, transition:
        case "chain_status", "opened":
            return "is in maintenance"
        case "chain_status", _:
            return f"is back to normal after {_duration(alert)}"
        case "source_health", "opened":
            return _SOURCE_STATES.get(alert.value.split(":")[0], "gives no answers")
        case "source_health", _:
            return f"answers again after {_duration(alert)}"
        case _, "opened":
            return "is not as documented"
    return "is as documented again"


def _about(con: duckdb.DuckDBPyConnection, transition: str, alert: Instance) -> list[str]:
    """What is known about one alert: value, since when, what it affects."""
    lines = [f"{alert.subject} {_state(transition, alert)}."]
    if transition == "opened":
        lines.append(f"Seen: {alert.value} ({alert.streak} polls). Since {_bounds(alert)}.")
    elif alert.ended_after and alert.ended_by:
        lines.append(f"Over between {_time(alert.ended_after)} and {_time(alert.ended_by)}.")
    if alert.kind == "chain_status" and transition == "opened":
        lines.append(_impact(con, alert.subject))
    if alert.kind == "source_health" and transition == "opened":
        lines.append("What was asked is stored as unknown; it says nothing about any chain.")
    return [*lines, f"Alert {alert.alert_id}."]


def _impact(con: duckdb.DuckDBPyConnection, chain: str) -> str:
    """How many of the merchant's coins can be paid out on this chain."""
    coins = [
        coin
        for (coin,) in con.execute(
            "SELECT coin FROM coin_network_now WHERE chain = ? ORDER BY coin_id", [chain]
        ).fetchall()
    ]
    if not coins:
        return "None of your coins is known to use it."
    shown = ", ".join(map(str, coins[:5])) + (", ..." if len(coins) > 5 else "")
    return f"Coins on it: {len(coins)} ({shown}). Deposits and withdrawals may be delayed."


def _bounds(alert: Instance) -> str:
    if alert.started_after is None:
        return f"{_time(alert.started_by)} or earlier: it was so when monitoring began"
    return f"{_time(alert.started_after)} to {_time(alert.started_by)}"


def _duration(alert: Instance) -> str:
    """Shortest and longest time it can have lasted, as it was only sampled."""
    if alert.ended_after is None or alert.ended_by is None:
        return "an unknown time"
    shortest = alert.ended_after - alert.started_by
    if alert.started_after is None:
        return f"at least {_span(shortest)}"
    longest = alert.ended_by - alert.started_after
    low, high = _span(shortest), _span(longest)
    return low if low == high else f"{low} to {high}"


def _span(length: timedelta) -> str:
    seconds = max(0, round(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _sql(alert: Instance) -> str:
    if alert.kind == "chain_status":
        chain = alert.subject.replace("'", "''")
        history = f"SELECT * FROM chain_status_history WHERE chain = '{chain}'"
        return f"{history} ORDER BY valid_from DESC"
    if alert.kind == "contract":
        return "SELECT * FROM contract_drift ORDER BY first_seen_at DESC"
    return "SELECT * FROM poll_coverage ORDER BY day DESC"


def _as_data(alert: Instance) -> dict[str, Any]:
    times = ("started_after", "started_by", "ended_after", "ended_by")
    values = {name: getattr(alert, name) for name in times}
    return {
        "alert_id": alert.alert_id,
        "kind": alert.kind,
        "subject": alert.subject,
        "severity": alert.severity,
        "value": alert.value,
        **{name: value.isoformat() if value else None for name, value in values.items()},
    }
