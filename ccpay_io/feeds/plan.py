"""What a poll should ask for, from what the store already knows.

Owns the choice of pairs and of priced coins, and the facts the quarantine needs. Reads the private
file inside a short transaction; asks nothing and writes nothing. Called by the collector.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from ccpay_io.store.rows import one

# Without getCoinList a pair's existence is only learned by asking. Candidates are offered in
# portions, so that the poll's scope stays the pairs that are known to exist.
CANDIDATES_PER_POLL = 1_000


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
    """The (coin_id, chain) pairs of a fee poll, those that have waited longest first.

    Swap coins x the networks that getCoinList gave them. For an account that may not ask
    getCoinList: the pairs answered before, and a portion of swap coins x chains that is not known
    to be non-existent.
    """
    (networks,) = one(con, "SELECT count(*) FROM store.coin_network_current WHERE state = 'ok'")
    source = _PAIRS_OF_NETWORKS if networks else _PAIRS_BY_TRIAL
    return con.execute(f"""
        WITH pair AS ({source})
        SELECT p.coin_id, p.chain
        FROM pair AS p
        LEFT JOIN store.withdraw_fee_entity AS e USING (coin_id, chain)
        LEFT JOIN store.withdraw_fee_current AS c USING (entity_id)
        ORDER BY c.answered_poll_id NULLS FIRST, p.coin_id, p.chain
        """).fetchall()


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
