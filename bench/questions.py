"""The eight questions, as an analyst asks the views and as one would ask plain rows.

Owns their SQL, the check that both give the same answer, and the time each takes. Does not write
and does not judge. Called by __main__.py.

Both are asked on a connection that is open already, in the way readers open it; the store is asked
through its published views only, with everything they do (values in USD, states, coverage).
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import duckdb

_CHANGES = """(
    SELECT observed_at, coin, chain, fee_amount, fee_coin FROM fee
    WHERE observed_at >= TIMESTAMPTZ '{since}' - INTERVAL 5 MINUTE {where}
    QUALIFY fee_amount IS DISTINCT FROM
        lag(fee_amount) OVER (PARTITION BY coin, chain ORDER BY observed_at)
)"""


@dataclass(frozen=True)
class Question:
    """A question in both forms; {names} in braces come from `Moments`."""

    name: str
    is_now: bool
    store: str
    plain: str


QUESTIONS = (
    Question(
        "latest, all pairs",
        True,
        "SELECT coin, chain, fee_amount, fee_coin FROM withdraw_fee_now",
        """
        SELECT coin, chain, fee_amount, fee_coin FROM fee
        WHERE poll_id = (SELECT max(poll_id) FROM fee)
        """,
    ),
    Question(
        "30 days of one pair",
        False,
        """
        SELECT valid_from, fee_amount, fee_coin FROM withdraw_fee_history
        WHERE coin = '{coin}' AND chain = '{chain}' AND valid_from >= TIMESTAMPTZ '{month}'
        """,
        f"""
        SELECT observed_at, fee_amount, fee_coin
        FROM {_CHANGES.format(since="{month}", where="AND coin = '{coin}' AND chain = '{chain}'")}
        WHERE observed_at >= TIMESTAMPTZ '{{month}}'
        """,
    ),
    Question(
        "cheapest chain per coin now",
        True,
        "SELECT coin, arg_min(chain, fee_usd) FROM withdraw_fee_now GROUP BY coin",
        """
        SELECT f.coin, arg_min(f.chain, f.fee_amount::DOUBLE * p.price_usd::DOUBLE)
        FROM fee AS f JOIN price AS p ON p.coin = f.fee_coin
        WHERE f.poll_id = (SELECT max(poll_id) FROM fee)
          AND p.poll_id = (SELECT max(poll_id) FROM price)
        GROUP BY f.coin
        """,
    ),
    Question(
        "movers in 24 hours",
        False,
        """
        SELECT n.coin, n.chain, n.fee_amount, b.fee_amount
        FROM withdraw_fee_now AS n JOIN withdraw_fee_snapshot AS b USING (coin_id, chain)
        WHERE b.poll_id = {day_poll}
        ORDER BY abs(n.fee_amount::DOUBLE / b.fee_amount::DOUBLE - 1) DESC, n.coin, n.chain LIMIT 20
        """,
        """
        SELECT n.coin, n.chain, n.fee_amount, b.fee_amount
        FROM fee AS n JOIN fee AS b USING (coin, chain)
        WHERE n.poll_id = (SELECT max(poll_id) FROM fee) AND b.poll_id = {day_poll}
        ORDER BY abs(n.fee_amount::DOUBLE / b.fee_amount::DOUBLE - 1) DESC, n.coin, n.chain LIMIT 20
        """,
    ),
    Question(
        "90th percentile, all pairs",
        False,
        """
        SELECT coin, chain, quantile_disc(fee_amount, 0.9) FROM withdraw_fee_snapshot
        GROUP BY coin, chain
        """,
        "SELECT coin, chain, quantile_disc(fee_amount, 0.9) FROM fee GROUP BY coin, chain",
    ),
    Question(
        "polls per day",
        False,
        "SELECT day, ok + partial FROM poll_coverage WHERE feed = 'fees' AND ok + partial > 0",
        "SELECT observed_at::DATE, count(DISTINCT poll_id) FROM fee GROUP BY ALL",
    ),
    Question(
        "snapshot of any poll",
        False,
        """
        SELECT coin, chain, fee_amount, fee_coin FROM withdraw_fee_snapshot
        WHERE poll_id = {some_poll}
        """,
        "SELECT coin, chain, fee_amount, fee_coin FROM fee WHERE poll_id = {some_poll}",
    ),
    Question(
        "7 days of changes in EUR then",
        False,
        """
        SELECT h.chain, count(*), max(h.fee_usd::DOUBLE * r.usd_rate::DOUBLE)
        FROM withdraw_fee_history AS h
        ASOF JOIN (SELECT * FROM fiat_rate_history WHERE fiat = 'EUR') AS r
            ON r.valid_from <= h.valid_from
        WHERE h.valid_from >= TIMESTAMPTZ '{week}'
        GROUP BY h.chain
        """,
        f"""
        SELECT f.chain, count(*),
               max(f.fee_amount::DOUBLE * p.price_usd::DOUBLE * r.usd_rate::DOUBLE)
        FROM {_CHANGES.format(since="{week}", where="")} AS f
        ASOF JOIN price AS p ON p.coin = f.fee_coin AND p.observed_at <= f.observed_at
        ASOF JOIN (SELECT * FROM rate WHERE fiat = 'EUR') AS r ON r.observed_at <= f.observed_at
        WHERE f.observed_at >= TIMESTAMPTZ '{{week}}'
        GROUP BY f.chain
        """,
    ),
)


@dataclass(frozen=True)
class Answered:
    """A question's answer: how many rows, the same on both sides, and milliseconds of each."""

    question: Question
    rows: int
    store_ms: float
    plain_ms: float


class AnswersDiffer(AssertionError):
    """The store and the plain rows disagree; a time would mean nothing."""


def ask_all(
    store: duckdb.DuckDBPyConnection,
    plain: duckdb.DuckDBPyConnection,
    progress: Callable[[str], None],
) -> list[Answered]:
    """Asks both sides everything, compares, then times the median of five.

    Raises:
        AnswersDiffer: with the first rows that differ.
    """
    names = _moments(plain)
    answered = []
    for question in QUESTIONS:
        forms = [question.store.format(**names), question.plain.format(**names)]
        rows = [con.execute(sql).fetchall() for con, sql in zip((store, plain), forms, strict=True)]
        _check_same(question.name, *rows)
        answered.append(
            Answered(
                question, len(rows[0]), _median_ms(store, forms[0]), _median_ms(plain, forms[1])
            )
        )
        progress(f"  the same {len(rows[0])} rows: {question.name}")
    return answered


def _moments(plain: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """What the questions name: a pair, moments before the last poll, polls at such moments."""
    row = plain.execute("""
        WITH poll AS (SELECT DISTINCT poll_id, observed_at FROM fee)
        SELECT
            max(observed_at) - INTERVAL 30 DAY AS month,
            max(observed_at) - INTERVAL 7 DAY AS week,
            coalesce(max(poll_id) FILTER (WHERE poll_id <= (SELECT max(poll_id) - 86_400_000_000
                FROM fee)), min(poll_id)) AS day_poll,
            quantile_disc(poll_id, 0.37) AS some_poll,
            (SELECT min(coin) FROM fee) AS coin
        FROM poll
        """).fetchall()[0]
    names = dict(zip(("month", "week", "day_poll", "some_poll", "coin"), row, strict=True))
    chain = "SELECT min(chain) FROM fee WHERE coin = ?"
    return names | {"chain": plain.execute(chain, [names["coin"]]).fetchall()[0][0]}


def _check_same(
    name: str, store: list[tuple[object, ...]], plain: list[tuple[object, ...]]
) -> None:
    if len(store) != len(plain):
        raise AnswersDiffer(
            f"{name}: {len(store)} rows from the store, {len(plain)} from plain rows"
        )
    for left, right in zip(sorted(store), sorted(plain), strict=True):
        if not all(_equal(a, b) for a, b in zip(left, right, strict=True)):
            raise AnswersDiffer(f"{name}: the store says {left}, plain rows say {right}")


def _equal(a: object, b: object) -> bool:
    """Amounts and everything else exactly; what a question computes in DOUBLE, nearly."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9)
    return a == b


def _median_ms(con: duckdb.DuckDBPyConnection, sql: str) -> float:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        con.execute(sql).fetchall()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)
