"""What a poll should ask for, from what the store already knows.

Owns the choice of pairs and of priced coins, and the facts the quarantine needs; what a budget that
is too small leaves of the pairs is chosen by sampling.py. Reads the private file inside a short
transaction; asks nothing and writes nothing. Called by the collector.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from ccpay_io.errors import ApiError, Policy
from ccpay_io.feeds.sampling import candidates_of, choose
from ccpay_io.store.rows import one

# What a feed's failure is told under when no single request failed.
ENDPOINTS = {
    "chains": "getChainList",
    "fiats": "getFiatList",
    "coins": "getSwapCoinList",
    "networks": "getCoinList",
    "prices": "getCoinUSDTPrice",
    "fees": "getWithdrawFee",
    "watchlist": "checkWithdrawalAddressValidity",
}

# Without getCoinList a pair's existence is only learned by asking. Candidates are offered in
# portions, so that the poll's scope stays the pairs that are known to exist.
CANDIDATES_PER_POLL = 1_000

# Codes after which getCoinList may well answer the next time, or nothing will.
_MAY_PASS = (10001, 11002, 11004, 11005, 11006, 11007, 11009, 11014)


class NothingToAsk(ApiError):
    """No request was made: what says what to ask for is empty, or not there yet."""

    policy = Policy.REFUSE

    def __init__(self, endpoint: str, feed: str) -> None:
        if feed == "watchlist":
            super().__init__(endpoint, "nothing is watched")
            self.hint = "list addresses or Cwallet ids under [watch] in ccpay.toml"
        else:
            super().__init__(endpoint, "no coins are known")
            self.hint = "poll the coins and networks first: `ccpay poll all`"


@dataclass(frozen=True)
class ListMemory:
    """What the ledger remembers about a list feed, for judging a suspicious answer.

    Attributes:
        listed: length of the last accepted list; None when there is none yet.
        suspects: (content hash, started_at) of the failed polls since then that were quarantined,
            oldest first.
    """

    listed: int | None
    suspects: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True)
class Plan:
    """What one poll should ask for and compare with.

    Attributes:
        memory: for a list feed.
        answered_at: when the feed last had an answer; None before its first.
        pairs: for a fee poll, in the order in which to ask them.
        left_out: the pairs that the budget does not reach to ask for this time.
        coin_ids: for a price poll.
    """

    memory: ListMemory
    answered_at: datetime | None = None
    pairs: tuple[tuple[int, str], ...] = ()
    left_out: tuple[tuple[int, str], ...] = ()
    coin_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Allowance:
    """How many fees may be asked for.

    Attributes:
        fees: in this poll.
        now: when it begins.
        cadence_s: seconds between two of them.
    """

    fees: int
    now: datetime
    cadence_s: int


def plan_poll(
    con: duckdb.DuckDBPyConnection, feed: str, allowance: Allowance | None = None
) -> Plan:
    """Plans the next poll of a feed; without an allowance every pair is asked for."""
    pairs, left_out = plan_pairs(con) if feed == "fees" else [], list[tuple[int, str]]()
    if allowance and allowance.fees < len(pairs):
        candidates = candidates_of(con, pairs, allowance.now, allowance.cadence_s)
        pairs, left_out = choose(candidates, allowance.fees)
    return Plan(
        list_memory(con, feed),
        last_answered(con, feed),
        tuple(pairs),
        tuple(left_out),
        tuple(plan_prices(con)) if feed == "prices" else (),
    )


def last_answered(con: duckdb.DuckDBPyConnection, feed: str) -> datetime | None:
    """When the last ok or partial poll of a feed was observed."""
    at: datetime | None
    (at,) = one(
        con,
        "SELECT max(observed_at) FROM store.poll WHERE feed = ? AND outcome IN ('ok', 'partial')",
        [feed],
    )
    return at


def list_memory(con: duckdb.DuckDBPyConnection, feed: str) -> ListMemory:
    """The last accepted length of a list feed and the quarantined answers after it."""
    row = con.execute(
        "SELECT poll_id, listed_count FROM store.poll"
        " WHERE feed = ? AND outcome IN ('ok', 'partial') ORDER BY poll_id DESC LIMIT 1",
        [feed],
    ).fetchone()
    accepted, listed = row or (0, None)
    suspects = con.execute(
        "SELECT content_hash, started_at FROM store.poll"
        " WHERE feed = ? AND poll_id > ? AND error_name = 'SuspectList' ORDER BY poll_id",
        [feed, accepted],
    ).fetchall()
    return ListMemory(listed, tuple(suspects))


def plan_pairs(con: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    """The (coin_id, chain) pairs of a fee poll, in the order in which to ask them.

    Swap coins x the networks that getCoinList gave them. For an account that was refused
    getCoinList: the pairs answered before, and a portion of swap coins x chains that is not known
    to be non-existent.

    A pair that the last sweep left without an answer comes first, then one that it answered, and so
    on in turns: some pairs that never answer cannot keep all others waiting.
    """
    source = _PAIRS_BY_TRIAL if _is_refused_the_list(con) else _PAIRS_OF_NETWORKS
    return con.execute(f"""
        WITH pair AS ({source})
        SELECT coin_id, chain
        FROM (
            SELECT p.coin_id, p.chain, c.answered_poll_id,
                   c.answered_poll_id IS NOT DISTINCT FROM
                       (SELECT max(answered_poll_id) FROM store.withdraw_fee_current) AS is_recent
            FROM pair AS p
            LEFT JOIN store.withdraw_fee_entity AS e USING (coin_id, chain)
            LEFT JOIN store.withdraw_fee_current AS c USING (entity_id))
        ORDER BY row_number() OVER (
                     PARTITION BY is_recent ORDER BY answered_poll_id NULLS FIRST, coin_id, chain),
                 is_recent
        """).fetchall()


def _is_refused_the_list(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether getCoinList is not for this account: it said no, and never yes.

    A failure that may pass (an outage, a pace, a signature) is no refusal: pairs by trial are
    thousands of requests.
    """
    (networks,) = one(con, "SELECT count(*) FROM store.coin_network_entity")
    row = con.execute(
        "SELECT error_code FROM store.poll WHERE feed = 'networks' AND outcome <> 'skipped'"
        " ORDER BY poll_id DESC LIMIT 1"
    ).fetchone()
    code = row[0] if row else None
    return networks == 0 and code is not None and code not in _MAY_PASS


def plan_prices(con: duckdb.DuckDBPyConnection) -> list[int]:
    """The coins of a price poll: every fee coin, and coins that getCoinList gave no price for.

    Before the first fee poll no fee coin is known; then all swap coins are priced once.
    """
    rows = con.execute("""
        WITH fee_coin AS (
            SELECT DISTINCT fee_coin_id AS coin_id FROM store.withdraw_fee_current
            WHERE fee_coin_id IS NOT NULL AND state <> 'absent'),
        swap AS (
            SELECT coin_id FROM store.swap_coin_entity
            JOIN store.swap_coin_current USING (entity_id) WHERE state = 'ok'),
        priced AS (
            SELECT coin_id FROM store.coin_price_entity
            JOIN store.coin_price_current USING (entity_id))
        SELECT coin_id FROM fee_coin
        UNION SELECT coin_id FROM swap ANTI JOIN priced USING (coin_id)
        UNION SELECT coin_id FROM swap WHERE NOT EXISTS (FROM fee_coin)
        ORDER BY 1
        """).fetchall()
    return [coin_id for (coin_id,) in rows]


_PAIRS_OF_NETWORKS = """
    SELECT coin_id, chain
    FROM store.coin_network_entity
    JOIN store.coin_network_current AS n USING (entity_id)
    SEMI JOIN (
        SELECT coin_id FROM store.swap_coin_entity
        JOIN store.swap_coin_current AS s USING (entity_id) WHERE s.state = 'ok'
    ) USING (coin_id)
    WHERE n.state = 'ok'
"""

_PAIRS_BY_TRIAL = f"""
    (SELECT coin_id, chain
     FROM store.withdraw_fee_entity JOIN store.withdraw_fee_current AS c USING (entity_id)
     ANTI JOIN store.missing_pair USING (coin_id, chain)
     WHERE c.state <> 'absent')
    UNION
    (SELECT coin_id, chain
     FROM (SELECT coin_id FROM store.swap_coin_entity
           JOIN store.swap_coin_current AS s USING (entity_id) WHERE s.state = 'ok')
     CROSS JOIN (SELECT chain FROM store.chain_entity
                 JOIN store.chain_current AS h USING (entity_id) WHERE h.state <> 'absent')
     ANTI JOIN store.missing_pair USING (coin_id, chain)
     ANTI JOIN (SELECT coin_id, chain FROM store.withdraw_fee_entity
                JOIN store.withdraw_fee_current AS c USING (entity_id) WHERE c.state <> 'absent')
         USING (coin_id, chain)
     ORDER BY coin_id, chain
     LIMIT {CANDIDATES_PER_POLL})
"""
