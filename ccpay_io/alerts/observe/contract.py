"""contract: answers that are not as documented, above all those that hide a chain's status."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import duckdb

from ccpay_io.alerts.subject import Observation
from ccpay_io.feeds import plan
from ccpay_io.feeds.poll import Poll
from ccpay_io.models import Drift

_LIST_FEEDS = ("chains", "fiats", "coins", "networks")
# Unseen status words are a subject of their own.
_STATUS_WORD = ("unknown_enum", "data.chains[].status")
# Told as what they do: a list that is not believed, an endpoint that fails, a blocked route.
_TOLD_ELSEWHERE = ("list_size", "unknown_code")


def observe_contract(
    con: duckdb.DuckDBPyConnection, poll: Poll, last: datetime | None
) -> list[Observation]:
    """The list as a whole, the status words, and each place in the answer that deviates or did."""
    seen = list(_drift(con, poll, last))
    if poll.feed in _LIST_FEEDS:
        seen.append(_list(poll, last))
    if poll.feed == "chains":
        seen.append(_status(poll, last))
    return seen


def _list(poll: Poll, last: datetime | None) -> Observation:
    """An empty or suddenly much shorter list: quarantined, and reported as what it is."""
    suspect = poll.error_name == "SuspectList"
    name = f"{plan.ENDPOINTS[poll.feed]} list"
    return Observation(
        "contract",
        name,
        name,
        "bad" if suspect else "good" if _was_answered(poll) else "unknown",
        poll.error_message or "as expected",
        "critical" if poll.feed == "chains" else "warning",
        last,
        poll.observed_at,
    )


def _status(poll: Poll, last: datetime | None) -> Observation:
    """Status words that nobody has documented: they hide what a chain does."""
    words: list[str] = []
    if "chain" in poll.answers:
        frame = poll.answers["chain"].frame
        words = frame.filter(frame["state"] == "unknown")["status_raw"].unique().sort().to_list()
    name = "getChainList status"
    return Observation(
        "contract",
        name,
        name,
        "bad" if words else "good" if _was_answered(poll) else "unknown",
        f"unknown status {', '.join(map(repr, words))}"[:200] if words else "as expected",
        "critical",
        last,
        poll.observed_at,
    )


def _drift(
    con: duckdb.DuckDBPyConnection, poll: Poll, last: datetime | None
) -> Iterable[Observation]:
    """Each path of this poll's answers that deviates, and those that did and no longer do."""
    deviations = {
        f"{drift.endpoint} {drift.path}": drift
        for drift in poll.drift
        if (drift.kind, drift.path) != _STATUS_WORD and drift.kind not in _TOLD_ELSEWHERE
    }
    for name, drift in deviations.items():
        yield Observation(
            "contract",
            name,
            name,
            "bad",
            f"{drift.kind} {drift.value}"[:200],
            _severity(poll, drift),
            last,
            poll.observed_at,
        )
    if poll.outcome != "ok":
        return
    rows = con.execute(
        "SELECT key FROM store.alert_state WHERE kind = 'contract' AND starts_with(key, ?)",
        [f"{plan.ENDPOINTS[poll.feed]} data"],
    ).fetchall()
    for (name,) in rows:
        if name not in deviations:
            yield Observation(
                "contract", name, name, "good", "as expected", "info", last, poll.observed_at
            )


def _severity(poll: Poll, drift: Drift) -> str:
    """A field more hides nothing; a chain that cannot be read hides its status."""
    if drift.kind == "new_field":
        return "info"
    return "critical" if poll.feed == "chains" and drift.key else "warning"


def _was_answered(poll: Poll) -> bool:
    return poll.outcome in ("ok", "partial")
