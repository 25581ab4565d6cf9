"""One notice: plain text that reads well in a terminal, a chat and an e-mail, and its JSON.

Owns how titles, bodies and payloads are put together; single phrases are words.py's. Called by
notices.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from ccpay_io.alerts import words
from ccpay_io.alerts.engine import Moment
from ccpay_io.alerts.impact import impact_of
from ccpay_io.alerts.instance import Instance
from ccpay_io.alerts.subject import SEVERITIES
from ccpay_io.alerts.telling import ENDING, Transition
from ccpay_io.settings import Settings

_LISTED = 10


@dataclass(frozen=True)
class Notice:
    """One message, before it has a channel; `late_title` if what it ends was never told."""

    severity: str
    title: str
    late_title: str | None
    body: str
    payload: dict[str, Any]


def word_notice(
    con: duckdb.DuckDBPyConnection,
    word: str,
    parts: Sequence[Transition],
    moment: Moment,
    settings: Settings,
) -> Notice:
    """Words one notice.

    Args:
        con: to look up what a chain in maintenance affects.
        word: the transition of the notice as a whole.
        parts: the transitions of single alerts, at least one.
        moment: of the poll that led to them.
        settings: for the environment's name.
    """
    severity = max((part.alert.severity for part in parts), key=SEVERITIES.index)
    place = "[sandbox] " if settings.environment == "sandbox" else ""
    lines = [line for part in parts[:_LISTED] for line in _about(con, part)]
    if len(parts) > _LISTED:
        others = ", ".join(part.alert.subject for part in parts[_LISTED:])
        lines.append(f"and {len(parts) - _LISTED} more: {others}")
    lines += _ages([part.alert for part in parts if part.word not in ENDING], moment)
    query = words.query(parts[0].alert)
    lines += [f"Look closer: {query}", f"Seen at {words.clock(moment.at)}."]
    payload = {
        "type": f"ccpay.alert.{word}",
        "timestamp": moment.at.isoformat(),
        "environment": settings.stamp,
        "severity": severity,
        "poll_id": moment.poll_id,
        "alerts": [_as_data(part) for part in parts],
    }
    late = f"{place}{_late_title(parts)}" if word in (*ENDING, "digest") else None
    return Notice(severity, place + _title(word, parts), late, "\n".join(lines), payload)


def _title(word: str, parts: Sequence[Transition]) -> str:
    if len(parts) == 1:
        return words.headline(parts[0])
    if word == "digest":
        first, *others = parts
        return f"{words.headline(first)}; meanwhile {_named(others)} changed"
    if word == "opened" and all(part.alert.started_after is None for part in parts):
        return f"State at start: {_named(parts)}"
    return f"{_named(parts)}: {'still so' if word == 'reminder' else word}"


def _late_title(parts: Sequence[Transition]) -> str:
    """Never a bare "back to normal" to somebody who was not told of anything."""
    ended = [part for part in parts if part.word in ENDING]
    begun = [part for part in parts if part.word not in ENDING]
    past = f"{_named(ended)}: began and ended meanwhile"
    if len(ended) == 1:
        past = words.was(ended[0].alert)
    news = f"; {_title('opened', begun)}" if begun else ""
    return f"{past}, reported late{news}"


def _named(parts: Sequence[Transition]) -> str:
    """The alerts by name; many of one kind by their number."""
    plurals = {
        "chain_status": "chains", "payout_route": "routes", "fee_level": "fees",
        "contract": "deviations", "source_health": "endpoints", "freshness": "feeds",
    }  # fmt: skip
    named = []
    for kind, plural in plurals.items():
        subjects = [part.alert.subject for part in parts if part.alert.kind == kind]
        few = 1 if kind in ("chain_status", "payout_route", "fee_level") else 3
        named += subjects if len(subjects) <= few else [f"{len(subjects)} {plural}"]
    named += [part.alert.subject for part in parts if part.alert.kind not in plurals]
    return ", ".join(named)


def _about(con: duckdb.DuckDBPyConnection, part: Transition) -> list[str]:
    """What is known about one alert: value, since when, what it affects."""
    alert = part.alert
    lines = [f"{words.headline(part)}."]
    if part.word not in ENDING:
        lines.append(f"Seen: {alert.value} ({_polls(alert)}). Since {words.bounds(alert)}.")
        lines += _effects(con, alert)
    elif alert.ended_after and alert.ended_by:
        began = f"Began between {words.bounds(alert).replace(' to ', ' and ')}."
        ended = f"between {words.clock(alert.ended_after)} and {words.clock(alert.ended_by)}"
        lines += [
            began if alert.started_after else f"Began {words.bounds(alert)}.",
            f"Over {ended}.",
        ]
    return [*lines, f"Alert {alert.alert_id}."]


def _polls(alert: Instance) -> str:
    return f"{alert.streak} polls" if alert.streak != 1 else "1 poll"


def _effects(con: duckdb.DuckDBPyConnection, alert: Instance) -> list[str]:
    if alert.kind == "chain_status" and alert.phase == "firing" and alert.chain:
        return impact_of(con, alert.chain)
    if alert.kind == "source_health":
        return ["What was asked is stored as unknown; it says nothing about any chain."]
    return []


def _ages(alerts: Sequence[Instance], moment: Moment) -> list[str]:
    """How old what is said is, and when it is said again; once for all, by the oldest."""
    if not alerts:
        return []
    age = moment.at - min(alert.last_known_at for alert in alerts)
    lines = [f"Last answer {words.span(age)} ago."]
    if reminders := [alert.remind_at for alert in alerts if alert.remind_at]:
        lines.append(f"Next reminder at {words.clock(min(reminders))} unless it is over.")
    return lines


def _as_data(part: Transition) -> dict[str, Any]:
    alert = part.alert
    times = ("started_after", "started_by", "ended_after", "ended_by")
    values = {name: getattr(alert, name) for name in times}
    return {
        "alert_id": alert.alert_id,
        "transition": part.word,
        "kind": alert.kind,
        "subject": alert.subject,
        "severity": alert.severity,
        "value": alert.value,
        **{name: value.isoformat() if value else None for name, value in values.items()},
    }
