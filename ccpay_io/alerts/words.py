"""The words for each kind of alert: what is the matter, what to look at, how long it took.

Owns single phrases; messages.py makes notices of them. The API says that in Maintenance deposits
and withdrawals may be delayed or cannot be processed, so a chain is "in maintenance", never "down".
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ccpay_io.alerts.instance import Instance
from ccpay_io.alerts.telling import Transition

_SOURCE_STATES = {
    "auth": "does not let us in",
    "banned": "has banned this IP",
    "quota": "gives no more answers today",
    "throttled": "asks us to slow down",
}
_BACK = {
    "chain_status": "is back to normal",
    "source_health": "answers again",
    "payout_route": "can be paid out again",
    "fee_level": "is back to its usual level",
    "freshness": "is up to date again",
    "contract": "is as documented again",
    "delivery": "takes notices again",
}
_GONE = {
    "chain_status": "was removed from the list of chains",
    "payout_route": "is no longer in the coin list",
    "fee_level": "is no longer in the coin list",
    "delivery": "is no longer configured",
}
_PAST = {
    "chain_status": "was in maintenance",
    "source_health": "gave no answers",
    "payout_route": "could not be paid out",
    "freshness": "was late",
    "contract": "was not as documented",
    "delivery": "took no notices",
}
# How long these lasted means nothing to the reader.
_WITHOUT_DURATION = ("contract", "delivery")


def headline(part: Transition) -> str:
    """What became of one alert, in one clause: "TRX is in maintenance"."""
    alert = part.alert
    match part.word:
        case "resolved":
            took = "" if alert.kind in _WITHOUT_DURATION else f" after {duration(alert)}"
            return f"{alert.subject} {_BACK[alert.kind]}{took}"
        case "closed" | "delisted":
            return f"{alert.subject} {_GONE.get(alert.kind, 'is no longer watched')}"
        case "flapping":
            return f"{alert.subject} is unsteady: {_changes(alert)}"
        case "reminder":
            lasted = span(alert.last_bad_at - alert.started_by)
            return f"{alert.subject} still {_state(alert)} ({lasted})"
        case "escalated":
            return f"{alert.subject} {_state(alert)}, now {alert.severity}"
    return f"{alert.subject} {_state(alert)}"


def was(alert: Instance) -> str:
    """What is over, told as the past: "TRX was in maintenance from 10:02 to 10:31 UTC"."""
    begun, over = alert.started_by, alert.ended_by or alert.last_known_at
    past = f"was {_level(alert)}" if alert.kind == "fee_level" else _PAST[alert.kind]
    return f"{alert.subject} {past} from {_short(begun, over)}"


def _short(begun: datetime, over: datetime) -> str:
    same_day = begun.date() == over.date()
    return f"{begun:%Y-%m-%d %H:%M} to {over:{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}} UTC"


def _state(alert: Instance) -> str:
    cause = alert.value.split(":")[0]
    match alert.kind:
        case "chain_status":
            return "is in maintenance"
        case "source_health":
            return _SOURCE_STATES.get(cause, "gives no answers")
        case "payout_route":
            return "cannot be paid out"
        case "fee_level":
            return f"is {_level(alert)}"
        case "freshness":
            return "does not come any more" if cause == "dead" else "is late"
        case "delivery":
            return "takes no notices"
    return "is not as documented"


def _level(alert: Instance) -> str:
    return "unusually low" if alert.value.startswith("low:") else "unusually high"


def _changes(alert: Instance) -> str:
    changes = alert.changes.bit_count()
    return f"{changes} changes in the last 21 answers, {len(alert.opens)} openings in an hour"


def bounds(alert: Instance) -> str:
    """Between which moments it began."""
    if alert.started_after is None:
        return f"{clock(alert.started_by)} or earlier: it was so when monitoring began"
    return f"{clock(alert.started_after)} to {clock(alert.started_by)}"


def duration(alert: Instance) -> str:
    """Shortest and longest time it can have lasted, as it was only sampled."""
    if alert.ended_after is None or alert.ended_by is None:
        return "an unknown time"
    shortest = alert.ended_after - alert.started_by
    if alert.started_after is None:
        return f"at least {span(shortest)}"
    low, high = span(shortest), span(alert.ended_by - alert.started_after)
    return low if low == high else f"{low} to {high}"


def span(length: timedelta) -> str:
    """A length of time in the units that people think in."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def clock(moment: datetime) -> str:
    """A moment as it stands in messages."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def query(alert: Instance) -> str:
    """SQL that shows more, ready to be pasted."""
    chain = _quoted(alert.chain or "")
    match alert.kind:
        case "chain_status":
            history = f"SELECT * FROM chain_status_history WHERE chain = {chain}"
            return f"{history} ORDER BY valid_from DESC"
        case "payout_route" | "fee_level":
            pair = f"coin_id = {alert.coin_id} AND chain = {chain}"
            return f"SELECT * FROM withdraw_fee_history WHERE {pair} ORDER BY valid_from DESC"
        case "contract":
            return "SELECT * FROM contract_drift ORDER BY first_seen_at DESC"
        case "delivery":
            return "SELECT * FROM notice_delivery WHERE delivered_at IS NULL"
    return "SELECT * FROM poll_coverage ORDER BY day DESC"


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
