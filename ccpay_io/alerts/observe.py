"""What a poll means for each subject that alerts are about: the verdict table.

Owns which evidence is good, bad or unknown for a chain, for the source and for the contract. The
rule above all: a failed call, an empty list or an unseen word says nothing about a chain. Reads the
current tables (already refreshed by this poll) for since-when. Called by book.py.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from ccpay_io.alerts.engine import Observation, Verdict
from ccpay_io.feeds.poll import Poll

_AUTH = {11005, 11006, 11013, 12000, 12001, 12002, 12003}
_LIST_FEEDS = {
    "chains": "getChainList",
    "fiats": "getFiatList",
    "coins": "getSwapCoinList",
    "networks": "getCoinList",
}
_SOURCE_SEVERITY = {"throttled": "warning"}


def observe(con: duckdb.DuckDBPyConnection, poll: Poll) -> list[Observation]:
    """Every observation that a poll makes; none for feeds that alerts do not watch yet."""
    if poll.feed not in _LIST_FEEDS:
        return []
    last = _last_good(con, poll)
    seen = [_list_contract(poll, last)]
    if poll.feed == "chains":
        seen += [_source(poll, last), _status_contract(poll, last), *_chains(con, poll)]
    return seen


def source_verdict(poll: Poll) -> str:
    """What a poll says about the source: ok, outage, auth, throttled, quota, banned or unknown."""
    if poll.outcome in ("ok", "partial"):
        return "ok"
    if poll.error_name == "SuspectList":
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


def _source(poll: Poll, last: datetime | None) -> Observation:
    value = source_verdict(poll)
    verdict: Verdict = "good" if value == "ok" else "unknown" if value == "unknown" else "bad"
    said = poll.error_message if verdict == "bad" and poll.error_message else value
    return Observation(
        "source_health",
        "CCPayment API",
        verdict,
        f"{value}: {said}" if said != value else value,
        _SOURCE_SEVERITY.get(value, "critical"),
        last,
        poll.observed_at,
        # A second request would not be sent, or would do harm: nothing can confirm these.
        at_once=value in ("auth", "banned", "quota"),
    )


def _list_contract(poll: Poll, last: datetime | None) -> Observation:
    """An empty or suddenly much shorter list: quarantined, and reported as what it is."""
    suspect = poll.error_name == "SuspectList"
    answered = poll.outcome in ("ok", "partial")
    return Observation(
        "contract",
        f"{_LIST_FEEDS[poll.feed]} list",
        "bad" if suspect else "good" if answered else "unknown",
        poll.error_message or "as expected",
        "critical" if poll.feed == "chains" else "warning",
        last,
        poll.observed_at,
    )


def _status_contract(poll: Poll, last: datetime | None) -> Observation:
    """Status words that nobody has documented: they hide what a chain does."""
    words: list[str] = []
    if "chain" in poll.answers:
        frame = poll.answers["chain"].frame
        words = frame.filter(frame["state"] == "unknown")["status_raw"].unique().sort().to_list()
    answered = poll.outcome in ("ok", "partial")
    return Observation(
        "contract",
        "getChainList status",
        "bad" if words else "good" if answered else "unknown",
        f"unknown status {', '.join(map(repr, words))}"[:200] if words else "as expected",
        "critical",
        last,
        poll.observed_at,
    )


def _chains(con: duckdb.DuckDBPyConnection, poll: Poll) -> list[Observation]:
    """One observation per chain with a recognised answer in this poll."""
    if "chain" not in poll.answers:
        return []
    verdicts: dict[str, Verdict] = {"maintenance": "bad", "normal": "good"}
    rows = con.execute(
        """
        SELECT e.chain, c.state, c.status_raw, store.is_watched_chain(e.chain)
        FROM store.chain_entity AS e JOIN store.chain_current AS c USING (entity_id)
        WHERE c.answered_poll_id = ? AND (c.state = 'maintenance' OR e.chain IN (
            SELECT subject FROM store.alert_state WHERE kind = 'chain_status'))
        ORDER BY e.chain
        """,
        [poll.poll_id],
    ).fetchall()
    after = _last_normal(con, [chain for chain, state, *_ in rows if state == "maintenance"])
    return [
        Observation(
            "chain_status",
            chain,
            verdicts.get(state, "unknown"),
            raw or state,
            "critical" if watched else "info",
            after.get(chain),
            poll.observed_at,
        )
        for chain, state, raw, watched in rows
    ]


def _last_normal(con: duckdb.DuckDBPyConnection, chains: list[str]) -> dict[str, datetime]:
    """When each of these chains was last answered Normal: what hid its status since proves nothing.

    Only for chains that begin to be in maintenance; the others have their start in their state.
    """
    if not chains:
        return {}
    rows = con.execute(
        """
        WITH normal AS (
            SELECT e.chain, max(s.to_no) AS until_no
            FROM store.chain_entity AS e JOIN store.chain_stretch AS s USING (entity_id)
            WHERE list_contains($chains, e.chain) AND s.state = 'normal'
              AND s.unknown_reason IS NULL
              AND e.chain NOT IN (
                  SELECT subject FROM store.alert_state WHERE kind = 'chain_status')
            GROUP BY e.chain
        )

        SELECT n.chain, max(p.observed_at)
        FROM normal AS n
        JOIN store.poll AS p ON p.poll_no < n.until_no
        WHERE p.feed = 'chains' AND p.outcome IN ('ok', 'partial')
        GROUP BY n.chain
        """,
        {"chains": chains},
    ).fetchall()
    return dict(rows)


def _last_good(con: duckdb.DuckDBPyConnection, poll: Poll) -> datetime | None:
    """When this feed was last answered before this poll."""
    row = con.execute(
        "SELECT max(observed_at) FROM store.poll"
        " WHERE feed = ? AND outcome IN ('ok', 'partial') AND poll_id < ?",
        [poll.feed, poll.poll_id],
    ).fetchone()
    return row[0] if row else None
