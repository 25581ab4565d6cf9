"""What people say about alerts: acknowledgements and silences, as rows with author and reason.

Owns the tables alert_ack and alert_silence as far as people write them (book.py clears what is
over). What a name means is naming.py's, what follows for an alert telling.py's and muting.py's.
Called by the command.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ccpay_io.alerts.naming import find_chain, find_coin, open_alert
from ccpay_io.errors import ConfigError
from ccpay_io.feeds.poll import utc_now
from ccpay_io.store.rows import one
from ccpay_io.store.writer import Warehouse

# A reader in any time zone must still be able to hold the end; Python ends with the year 9999.
LAST_YEAR = 9998
_NEARER = "name a nearer time"
_IN_FORCE = "`ccpay alerts list` shows the silences in force"


@dataclass(frozen=True)
class Matchers:
    """Which alerts a silence is about; what is None matches all."""

    kind: str | None = None
    chain: str | None = None
    coin: str | None = None
    alert_id: str | None = None


def acknowledge(warehouse: Warehouse, alert: str, *, author: str, reason: str) -> str:
    """Says that somebody works on an open alert: no more reminders, until it is worse or over.

    Args:
        alert: the alert_id, or the beginning of one.

    Returns:
        The alert_id.

    Raises:
        ConfigError: no alert, or several, are open under that id; or author or reason is missing.
    """
    _require(author, reason)
    now = utc_now()
    with warehouse.transaction() as con:
        alert_id = open_alert(con, alert)
        # Whoever had it before stays in its story.
        con.execute(
            "UPDATE store.alert_ack SET cleared_at = ?, cleared_by = 'acknowledged'"
            " WHERE alert_id = ? AND cleared_at IS NULL",
            [now, alert_id],
        )
        con.execute(
            "INSERT INTO store.alert_ack VALUES (?, ?, ?, ?, NULL, NULL)",
            [alert_id, author, reason, now],
        )
    warehouse.publish(force=True)
    return alert_id


def silence(
    warehouse: Warehouse, matchers: Matchers, *, until: datetime, author: str, reason: str
) -> int:
    """Keeps openings and reminders of some alerts back for a while; ends are always told.

    Args:
        matchers: at least one.
        until: in the future; without a time zone it is UTC.

    Returns:
        The silence_id.

    Raises:
        ConfigError: a matcher names nothing that is known, or something is missing.
    """
    _require(author, reason)
    now = utc_now()
    end = _end(until, now)
    if matchers == Matchers():
        raise ConfigError(
            "a silence of everything would hide an outage",
            hint="name chain=..., coin=..., kind=... or alert=...",
        )
    with warehouse.transaction() as con:
        coin_id = find_coin(con, matchers.coin) if matchers.coin else None
        alert_id = open_alert(con, matchers.alert_id) if matchers.alert_id else None
        chain = find_chain(con, matchers.chain) if matchers.chain else None
        (number,) = one(con, "SELECT coalesce(max(silence_id), 0) + 1 FROM store.alert_silence")
        con.execute(
            "INSERT INTO store.alert_silence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                number, matchers.kind, chain, coin_id, alert_id, now, end, author,
                reason, now,
            ],
        )  # fmt: skip
    warehouse.publish(force=True)
    return int(number)


def unsilence(warehouse: Warehouse, silence_id: int) -> None:
    """Ends a silence now; what is still bad is told at the next poll.

    Raises:
        ConfigError: no silence of that number is in force.
    """
    now = utc_now()
    in_force = "silence_id = ? AND until > ?"
    with warehouse.transaction() as con:
        found = con.execute(
            f"SELECT 1 FROM store.alert_silence WHERE {in_force}", [silence_id, now]
        ).fetchone()
        if not found:
            raise ConfigError(f"silence {silence_id} is not in force", hint=_IN_FORCE)
        con.execute(
            f"UPDATE store.alert_silence SET until = ? WHERE {in_force}", [now, silence_id, now]
        )
    warehouse.publish(force=True)


def _require(author: str, reason: str) -> None:
    if not author.strip():
        raise ConfigError("an author is needed", hint="say who you are: --author NAME")
    if not reason.strip():
        raise ConfigError("a reason is needed", hint='say why: --reason "..."')


def _end(until: datetime, now: datetime) -> datetime:
    """In UTC, where Python can read it back: every poll does, and would fail if it could not."""
    try:
        end = until.astimezone(UTC) if until.tzinfo else until.replace(tzinfo=UTC)
    except OverflowError:
        raise ConfigError(f"{until.isoformat()} is out of reach", hint=_NEARER) from None
    if end <= now:
        raise ConfigError(f"{end:%Y-%m-%d %H:%M} UTC is over", hint="name a time to come")
    if end.year > LAST_YEAR:
        raise ConfigError(f"a silence until {end.year} is for ever", hint=_NEARER)
    return end
