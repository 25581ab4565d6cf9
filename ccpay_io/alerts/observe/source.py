"""source_health: whether an endpoint answers us, and what it says when it does not.

The watch's endpoint stands for the whole API: it is asked every half minute, and what it cannot
reach no other feed can (muting.py). The others are subjects of their own.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from ccpay_io.alerts.muting import API
from ccpay_io.alerts.subject import Observation, Verdict
from ccpay_io.feeds import plan
from ccpay_io.feeds.poll import Poll

API_NAME = "CCPayment API"
_AUTH = {11005, 11006, 11013, 12000, 12001, 12002, 12003}
_SEVERITY = {"throttled": "warning"}
# A second request would not be sent, or would do harm: nothing can confirm these.
_AT_ONCE = ("auth", "banned", "quota")


def observe_source(poll: Poll, last: datetime | None) -> list[Observation]:
    """The one observation of the endpoint that this poll asked; none where there was nothing to."""
    if poll.feed == "watchlist" or poll.error_name == "NothingToAsk":
        return []
    endpoint = plan.ENDPOINTS[poll.feed]
    value = source_verdict(poll)
    verdict: Verdict = "good" if value == "ok" else "unknown" if value == "unknown" else "bad"
    said = poll.error_message if verdict == "bad" and poll.error_message else value
    return [
        Observation(
            "source_health",
            endpoint,
            API_NAME if endpoint == API else endpoint,
            verdict,
            f"{value}: {said}" if said != value else value,
            _SEVERITY.get(value, "critical"),
            last,
            poll.observed_at,
            raise_after=1 if value in _AT_ONCE else None,
        )
    ]


def source_verdict(poll: Poll) -> str:
    """What a poll says about the source: ok, outage, auth, throttled, quota, banned or unknown."""
    if poll.outcome in ("ok", "partial"):
        return "ok"
    # Of ourselves the heartbeat tells, not an alert about somebody else.
    if poll.error_name in ("SuspectList", "OwnNetworkDown"):
        return "unknown"
    if poll.error_code == 11014 or poll.error_name == "BreakerOpen":
        return "banned"
    if poll.error_code in _AUTH:
        return "auth"
    if poll.error_code == 11004:
        return "throttled"
    if poll.error_code == 11009:
        return "quota"
    return "unknown" if poll.outcome == "skipped" else "outage"


def last_good(con: duckdb.DuckDBPyConnection, poll: Poll) -> datetime | None:
    """When this feed was last answered before this poll."""
    row = con.execute(
        "SELECT max(observed_at) FROM store.poll"
        " WHERE feed = ? AND outcome IN ('ok', 'partial') AND poll_id < ?",
        [poll.feed, poll.poll_id],
    ).fetchone()
    return row[0] if row else None
