"""The alert book: state, episodes and muted times as rows, changed in the poll's own transaction.

Owns the tables alert_state, alert_episode and alert_muting, and reads silences and acknowledgements
(control.py writes those). What is told to whom is notices.py's. Called by the collector through
`Warehouse.commit`, and by health.py for the state of channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import duckdb

from ccpay_io.alerts.engine import Judgement, Moment, Rules, judge
from ccpay_io.alerts.instance import Instance
from ccpay_io.alerts.machine import Event
from ccpay_io.alerts.muting import Silence
from ccpay_io.alerts.notices import write_notices
from ccpay_io.alerts.observe import observe
from ccpay_io.alerts.subject import Observation
from ccpay_io.alerts.usual import Usual, remember_usual
from ccpay_io.feeds.poll import Poll
from ccpay_io.settings import Settings
from ccpay_io.store.rows import one

_COLUMNS = tuple(field.name for field in fields(Instance))


@dataclass(frozen=True)
class Evaluation:
    """What judging one poll led to.

    Attributes:
        new_notices: rows written to the outbox.
        confirm: whether asking again within seconds would settle a first bad or first good.
    """

    new_notices: int = 0
    confirm: bool = False


def evaluate(
    con: duckdb.DuckDBPyConnection, poll: Poll, settings: Settings, usual: Usual | None = None
) -> Evaluation:
    """Judges a poll: advances every subject, records episodes, writes the notices.

    Args:
        con: inside the poll's transaction, observations and ledger row already written.
        poll: as it was stored.
        settings: thresholds and channels.
        usual: what fees usually are, when that was worked out anew.
    """
    if usual is not None:
        remember_usual(con, usual)
    moment = Moment(poll.observed_at, poll.poll_id, settings.stamp)
    return record(con, observe(con, poll, settings), moment, settings)


def record(
    con: duckdb.DuckDBPyConnection,
    seen: Sequence[Observation],
    moment: Moment,
    settings: Settings,
) -> Evaluation:
    """Judges observations and writes down everything that follows from them.

    Args:
        con: inside the transaction that the observations belong to.
        seen: at most one observation per subject.
        moment: when, and by which poll.
        settings: thresholds and channels.
    """
    before = _load(con)
    judged = judge(before, seen, moment, _rules(con, settings, moment.at))
    _save(con, before, judged.state)
    for event, alert in judged.events:
        _write_episode(con, event, alert, moment)
    _write_muting(con, before, judged, moment.at)
    written = write_notices(con, judged.transitions, moment, settings)
    return Evaluation(written, judged.confirm)


def _rules(con: duckdb.DuckDBPyConnection, settings: Settings, at: datetime) -> Rules:
    silences = con.execute(
        "SELECT silence_id, kind, chain, coin_id, alert_id, starts_at, until"
        " FROM store.alert_silence WHERE until > ? ORDER BY silence_id",
        [at],
    ).fetchall()
    acks = con.execute("SELECT alert_id FROM store.alert_ack WHERE cleared_at IS NULL").fetchall()
    (chains,) = one(con, "SELECT count(*) FROM store.chain_entity")
    return Rules(
        settings.alerts.raise_after,
        settings.alerts.clear_after,
        tuple(Silence(*row) for row in silences),
        frozenset(alert_id for (alert_id,) in acks),
        chains,
    )


def _load(con: duckdb.DuckDBPyConnection) -> dict[str, Instance]:
    rows = con.execute(f"SELECT fingerprint, {', '.join(_COLUMNS)} FROM store.alert_state")
    found = {}
    for key, *values in rows.fetchall():
        named = dict(zip(_COLUMNS, values, strict=True))
        found[key] = Instance(**{**named, "opens": tuple(named["opens"])})
    return found


def _save(
    con: duckdb.DuckDBPyConnection, before: Mapping[str, Instance], after: Mapping[str, Instance]
) -> None:
    """Writes the instances that are others than before."""
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    if not changed:
        return
    con.execute("DELETE FROM store.alert_state WHERE fingerprint IN ?", [sorted(changed)])
    rows = [[key, *_values(after[key])] for key in sorted(changed & after.keys())]
    if rows:
        # One statement: row by row, an outage of all routes would take longer than its poll.
        marks = f"({', '.join('?' * (len(_COLUMNS) + 1))})"
        con.execute(
            f"INSERT INTO store.alert_state (fingerprint, {', '.join(_COLUMNS)})"
            f" VALUES {', '.join([marks] * len(rows))}",
            [value for row in rows for value in row],
        )


def _values(alert: Instance) -> list[object]:
    values = (getattr(alert, column) for column in _COLUMNS)
    return [list(value) if isinstance(value, tuple) else value for value in values]


def _write_episode(
    con: duckdb.DuckDBPyConnection, event: Event, alert: Instance, moment: Moment
) -> None:
    if event == "opened":
        con.execute(
            "INSERT INTO store.alert_episode (alert_id, fingerprint, kind, subject, severity,"
            " value, started_after, started_by, opened_at, opened_poll_id, chain, coin_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                alert.alert_id, alert.alert_id.partition("-")[0], alert.kind, alert.subject,
                alert.severity, alert.value, alert.started_after, alert.started_by, moment.at,
                moment.poll_id, alert.chain, alert.coin_id,
            ],
        )  # fmt: skip
        return
    if event == "escalated":
        con.execute(
            "UPDATE store.alert_episode SET severity = ?, value = ? WHERE alert_id = ?",
            [alert.severity, alert.value, alert.alert_id],
        )
    else:
        con.execute(
            "UPDATE store.alert_episode SET ended_after = ?, ended_by = ?, resolved_at = ?,"
            " resolved_poll_id = ?, closed_reason = ? WHERE alert_id = ? AND resolved_at IS NULL",
            [
                alert.ended_after, alert.ended_by, moment.at, moment.poll_id,
                None if event == "resolved" else event, alert.alert_id,
            ],
        )  # fmt: skip
    # Worse, or over: whoever took it on has to look again, or is done.
    con.execute(
        "UPDATE store.alert_ack SET cleared_at = ?, cleared_by = ?"
        " WHERE alert_id = ? AND cleared_at IS NULL",
        [moment.at, event, alert.alert_id],
    )


def _write_muting(
    con: duckdb.DuckDBPyConnection,
    before: Mapping[str, Instance],
    judged: Judgement,
    at: datetime,
) -> None:
    """One row per time in which an open alert was muted, and by what."""
    for key in before.keys() | judged.state.keys():
        was, now = before.get(key), judged.state.get(key)
        old, new = was and was.muted_by, now and now.muted_by
        if old == new:
            continue
        if old and was:
            con.execute(
                "UPDATE store.alert_muting SET muted_to = ?"
                " WHERE alert_id = ? AND muted_by = ? AND muted_to IS NULL",
                [at, was.alert_id, old],
            )
        if new and now:
            con.execute(
                "INSERT INTO store.alert_muting VALUES (?, ?, ?, NULL)", [now.alert_id, new, at]
            )
