"""The alert book: state, episodes and outbox as rows, changed in the poll's own transaction.

Owns the tables of migration 0002 as far as judging goes (delivery.py owns what happens to a notice
afterwards), and which channel is told what. Called by the collector through `Warehouse.commit`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields

import duckdb

from ccpay_io.alerts.channels import channel_keys
from ccpay_io.alerts.engine import Instance, Observation, Step, advance, fingerprint
from ccpay_io.alerts.messages import Notice, word_notice
from ccpay_io.alerts.observe import observe
from ccpay_io.feeds.poll import Poll
from ccpay_io.settings import Settings

_COLUMNS = [field.name for field in fields(Instance)]


@dataclass(frozen=True)
class Evaluation:
    """What judging one poll led to.

    Attributes:
        new_notices: rows written to the outbox.
        confirm: whether asking again within seconds would settle a first bad or first good.
    """

    new_notices: int = 0
    confirm: bool = False


def evaluate(con: duckdb.DuckDBPyConnection, poll: Poll, settings: Settings) -> Evaluation:
    """Judges a poll: advances every subject, records episodes, writes the notices.

    Args:
        con: inside the poll's transaction, observations and ledger row already written.
        poll: as it was stored.
        settings: thresholds and channels.
    """
    known = _load(con)
    steps = [_advance(known, seen, poll, settings) for seen in observe(con, poll)]
    for key, before, step in steps:
        if step.instance != before:
            _save(con, key, step.instance)
    for transition in ("opened", "resolved"):
        for key, _, step in steps:
            if step.transition == transition:
                _record_episode(con, key, poll, step)
    notices = _write_notices(con, poll, settings, [step for _, _, step in steps])
    return Evaluation(notices, any(step.confirm for _, _, step in steps))


def _advance(
    known: dict[str, Instance], seen: Observation, poll: Poll, settings: Settings
) -> tuple[str, Instance | None, Step]:
    key = fingerprint(settings.stamp, seen.kind, seen.subject)
    before = known.get(key)
    step = advance(
        before,
        seen,
        alert_id=f"{key}-{poll.poll_id}",
        raise_after=settings.alerts.raise_after,
        clear_after=settings.alerts.clear_after,
    )
    return key, before, step


def _load(con: duckdb.DuckDBPyConnection) -> dict[str, Instance]:
    rows = con.execute(
        f"SELECT fingerprint, {', '.join(_COLUMNS)} FROM store.alert_state"
    ).fetchall()
    return {row[0]: Instance(*row[1:]) for row in rows}


def _save(con: duckdb.DuckDBPyConnection, key: str, instance: Instance | None) -> None:
    con.execute("DELETE FROM store.alert_state WHERE fingerprint = ?", [key])
    if instance is not None:
        marks = ", ".join("?" * (len(_COLUMNS) + 1))
        values = [getattr(instance, column) for column in _COLUMNS]
        con.execute(
            f"INSERT INTO store.alert_state (fingerprint, {', '.join(_COLUMNS)}) VALUES ({marks})",
            [key, *values],
        )


def _record_episode(con: duckdb.DuckDBPyConnection, key: str, poll: Poll, step: Step) -> None:
    if step.transition == "opened" and step.instance:
        new = step.instance
        con.execute(
            "INSERT INTO store.alert_episode"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL)",
            [
                new.alert_id, key, new.kind, new.subject, new.severity, new.value,
                new.started_after, new.started_by, poll.observed_at, poll.poll_id,
            ],
        )  # fmt: skip
    elif step.closed:
        old = step.closed
        con.execute(
            "UPDATE store.alert_episode SET ended_after = ?, ended_by = ?, resolved_at = ?,"
            " resolved_poll_id = ? WHERE alert_id = ?",
            [old.ended_after, old.ended_by, poll.observed_at, poll.poll_id, old.alert_id],
        )


def _write_notices(
    con: duckdb.DuckDBPyConnection, poll: Poll, settings: Settings, steps: list[Step]
) -> int:
    """At most one opening and one resolving notice per channel and poll, whatever the mix."""
    written = 0
    for transition in ("opened", "resolved"):
        moved = [step.closed or step.instance for step in steps if step.transition == transition]
        alerts = [alert for alert in moved if alert is not None]
        for channel in channel_keys(settings):
            told = [a for a in alerts if channel == "log" or a.severity != "info"]
            if told:
                notice = word_notice(con, poll, transition, told, settings)
                _insert_notice(con, poll, channel, notice)
                written += 1
    return written


def _insert_notice(
    con: duckdb.DuckDBPyConnection, poll: Poll, channel: str, notice: Notice
) -> None:
    ids = [alert.alert_id for alert in notice.alerts]
    base = ids[0] if len(ids) == 1 else f"cycle-{poll.poll_id}"
    notice_id = f"{base}.{notice.transition}.{channel}"
    body = f"{notice.body}\nnotice {notice_id}"
    payload = {
        "notice_id": notice_id,
        "transition": notice.transition,
        "title": notice.title,
        "body": body,
        **notice.payload,
    }
    con.execute(
        "INSERT INTO store.alert_outbox"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, NULL, NULL, NULL)",
        [
            notice_id, channel, notice.transition, notice.severity, ids, notice.title,
            body, json.dumps(payload), poll.poll_id, poll.observed_at, poll.observed_at,
        ],
    )  # fmt: skip
