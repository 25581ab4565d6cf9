"""The questions as one asks plain rows in DuckDB.

Owns the text of each form by the name of its question. {names} in braces come from questions.py,
which also says what is asked. Called by questions.py.
"""

from __future__ import annotations

_CHANGES = """(
    SELECT observed_at, coin, chain, fee_amount, fee_coin FROM fee
    WHERE observed_at >= TIMESTAMPTZ '{since}' - INTERVAL 5 MINUTE {where}
    QUALIFY fee_amount IS DISTINCT FROM
        lag(fee_amount) OVER (PARTITION BY coin, chain ORDER BY observed_at)
)"""
_PAIR = "AND coin = '{coin}' AND chain = '{chain}'"

# Polls are minutes apart, so a value reaches into at most one more day.
_DAILY = """
    WITH seen AS (
        SELECT coin, fee_amount, observed_at AS since, lead(observed_at) OVER pair AS until
        FROM fee WHERE chain = '{chain}'
        WINDOW pair AS (PARTITION BY coin ORDER BY observed_at)
    ),
    part AS (
        SELECT coin, fee_amount, since::DATE AS day, since,
               least(until, date_trunc('day', since) + INTERVAL 1 DAY) AS until
        FROM seen
        UNION ALL
        SELECT coin, fee_amount, until::DATE AS day, date_trunc('day', until) AS since, until
        FROM seen WHERE until::DATE > since::DATE
    )
    SELECT day, coin, arg_min(fee_amount, since), max(fee_amount), min(fee_amount),
           arg_max(fee_amount, since),
           sum(fee_amount::DOUBLE * epoch(until - since)) / sum(epoch(until - since))
    FROM part WHERE day < '{end}'::DATE
    GROUP BY day, coin
    """

FORMS = {
    "latest, all pairs": """
        SELECT coin, chain, fee_amount, fee_coin FROM fee
        WHERE poll_id = (SELECT max(poll_id) FROM fee)
        """,
    "30 days of one pair": f"""
        SELECT observed_at, fee_amount, fee_coin
        FROM {_CHANGES.format(since="{month}", where=_PAIR)}
        WHERE observed_at >= TIMESTAMPTZ '{{month}}'
        """,
    "days of one chain: open, high, low, close, average": _DAILY,
    "cheapest chain per coin now": """
        SELECT f.coin, arg_min(f.chain, f.fee_amount::DOUBLE * p.price_usd::DOUBLE)
        FROM fee AS f JOIN price AS p ON p.coin = f.fee_coin
        WHERE f.poll_id = (SELECT max(poll_id) FROM fee)
          AND p.poll_id = (SELECT max(poll_id) FROM price)
        GROUP BY f.coin
        """,
    "90th percentile of each pair": """
        SELECT coin, chain, quantile_disc(fee_amount, 0.9) FROM fee
        -- A fee counts for as long as it held, and the last one has not held yet.
        WHERE poll_id < {last_poll}
        GROUP BY coin, chain
        """,
    "movers in 24 hours": """
        SELECT n.coin, n.chain, n.fee_amount, b.fee_amount
        FROM fee AS n JOIN fee AS b USING (coin, chain)
        WHERE n.poll_id = (SELECT max(poll_id) FROM fee) AND b.poll_id = {day_poll}
        ORDER BY abs(n.fee_amount::DOUBLE / b.fee_amount::DOUBLE - 1) DESC, n.coin, n.chain LIMIT 20
        """,
    "7 days of changes in EUR of then": f"""
        SELECT f.chain, count(*),
               max(f.fee_amount::DOUBLE * p.price_usd::DOUBLE * r.usd_rate::DOUBLE)
        FROM {_CHANGES.format(since="{week}", where="")} AS f
        ASOF JOIN price AS p ON p.coin = f.fee_coin AND p.observed_at <= f.observed_at
        ASOF JOIN (SELECT * FROM rate WHERE fiat = 'EUR') AS r ON r.observed_at <= f.observed_at
        WHERE f.observed_at >= TIMESTAMPTZ '{{week}}'
        GROUP BY f.chain
        """,
    "polls per day": """
        SELECT observed_at::DATE, count(DISTINCT poll_id) FROM fee GROUP BY ALL
        """,
    "snapshot of any poll": """
        SELECT coin, chain, fee_amount, fee_coin FROM fee WHERE poll_id = {some_poll}
        """,
    "fees as of a day ago": """
        SELECT coin, chain, fee_amount FROM fee WHERE poll_id = {day_poll}
        """,
    "30 days of one pair, poll by poll": """
        SELECT observed_at, fee_amount, fee_coin FROM fee
        WHERE coin = '{coin}' AND chain = '{chain}' AND observed_at >= TIMESTAMPTZ '{month}'
        """,
}
