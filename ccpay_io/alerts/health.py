"""delivery: whether each channel takes notices; told to the others when one does not.

Owns what attempts mean for a channel, and that one that left the settings is over. Called by
delivery.py, inside the transactions in which a notice is claimed and an attempt is recorded.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from ccpay_io.alerts.book import record
from ccpay_io.alerts.channels import channels_of
from ccpay_io.alerts.engine import Moment
from ccpay_io.alerts.subject import Observation, Verdict
from ccpay_io.feeds.poll import poll_id_at
from ccpay_io.settings import Settings

# One lost request is no news; half an hour of the ladder is.
FAILURES = 3
_LAST = """
    SELECT d.outcome, d.error, d.started_at
    FROM store.alert_delivery AS d JOIN store.alert_outbox AS n USING (notice_id)
    WHERE n.channel = ?
    ORDER BY d.finished_at DESC, d.attempt DESC
    LIMIT ?
"""
_KNOWN = "SELECT key FROM store.alert_state WHERE kind = 'delivery'"


def judge_channel(
    con: duckdb.DuckDBPyConnection, settings: Settings, channel: str, outcome: str, at: datetime
) -> None:
    """Judges a channel by its last attempts.

    Args:
        con: with the attempt already written.
        settings: the channels.
        channel: the key of the one that was tried.
        outcome: "sent", "failed" or "dead", of the last attempt.
        at: when it ended.
    """
    if channel not in {each.key for each in channels_of(settings)}:
        # Its last notices fail until they are given up; judge_gone has said why.
        return
    known = {key for (key,) in con.execute(_KNOWN).fetchall()}
    if outcome == "sent":
        if channel in known:
            _record(con, settings, channel, "good", "takes notices", at, at)
        return
    attempts = con.execute(_LAST, [channel, FAILURES]).fetchall()
    failed = [began for result, _, began in attempts if result != "sent"]
    if outcome == "dead":
        _record(con, settings, channel, "bad", f"dead: {attempts[0][1]}", failed[-1], at)
    elif len(failed) == FAILURES:
        _record(con, settings, channel, "bad", f"failing: {attempts[0][1]}", failed[-1], at)


def judge_gone(con: duckdb.DuckDBPyConnection, settings: Settings, at: datetime) -> None:
    """Closes what is open about channels that are no longer configured."""
    keys = {channel.key for channel in channels_of(settings)}
    for (key,) in con.execute(_KNOWN).fetchall():
        if key not in keys:
            _record(con, settings, key, "gone", "no longer configured", at, at)


def _record(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    channel: str,
    verdict: Verdict,
    value: str,
    after: datetime,
    at: datetime,
) -> None:
    seen = Observation(
        "delivery",
        channel,
        f"channel {channel}",
        verdict,
        value,
        "critical",
        after,
        at,
        raise_after=1,
        clear_after=1,
    )
    moment = Moment(at, poll_id_at(at), settings.stamp, is_tick=False)
    record(con, [seen], moment, settings)
