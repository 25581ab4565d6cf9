"""The questions as one asks ClickHouse (chdb), which holds the same plain rows.

Owns the text of each form by the name of its question. {names} in braces come from questions.py,
which also says what is asked; {fee} is one of two tables that differ in their sorting key. Called
by questions.py.
"""

from __future__ import annotations

_CHANGES = """(
    SELECT observed_at, coin, chain, fee_amount, fee_coin,
           row_number() OVER pair AS number, lagInFrame(fee_amount) OVER pair AS before
    FROM {{fee}} WHERE observed_at >= {since} - INTERVAL 5 MINUTE {where}
    WINDOW pair AS (
        PARTITION BY coin, chain ORDER BY observed_at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
    )
)"""
_IS_CHANGE = "(number = 1 OR fee_amount <> before)"
_PAIR = "AND coin = '{coin}' AND chain = '{chain}'"
_MONTH = "toDateTime64('{month}', 6)"
_WEEK = "toDateTime64('{week}', 6)"
_LAST = "(SELECT max(observed_at) FROM {fee})"

# Names of columns are not reused: an alias would hide the column that it is made from.
_DAILY = """
    WITH seen AS (
        SELECT coin, fee_amount, observed_at,
               leadInFrame(toNullable(observed_at)) OVER (
                   PARTITION BY coin ORDER BY observed_at
                   ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING
               ) AS next_at
        FROM {fee} WHERE chain = '{chain}'
    ),
    part AS (
        SELECT coin, fee_amount, toDate32(observed_at) AS day, observed_at AS since,
               least(next_at, toDateTime64(toStartOfDay(observed_at) + INTERVAL 1 DAY, 6)) AS until
        FROM seen
        UNION ALL
        SELECT coin, fee_amount, toDate32(next_at) AS day,
               toDateTime64(toStartOfDay(assumeNotNull(next_at)), 6) AS since, next_at AS until
        FROM seen WHERE toDate32(next_at) > toDate32(observed_at)
    )
    SELECT day, coin, argMin(fee_amount, since), max(fee_amount), min(fee_amount),
           argMax(fee_amount, since),
           sum(toFloat64(fee_amount) * dateDiff('microsecond', since, until))
               / sum(dateDiff('microsecond', since, until))
    FROM part WHERE day < toDate32(toDateTime64('{end}', 6))
    GROUP BY day, coin
    """

FORMS = {
    "latest, all pairs": f"""
        SELECT coin, chain, fee_amount, fee_coin FROM {{fee}} WHERE observed_at = {_LAST}
        """,
    "30 days of one pair": f"""
        SELECT observed_at, fee_amount, fee_coin
        FROM {_CHANGES.format(since=_MONTH, where=_PAIR)}
        WHERE {_IS_CHANGE} AND observed_at >= {_MONTH}
        """,
    "days of one chain: open, high, low, close, average": _DAILY,
    "cheapest chain per coin now": f"""
        SELECT f.coin, argMin(f.chain, toFloat64(f.fee_amount) * toFloat64(p.price_usd))
        FROM {{fee}} AS f JOIN price AS p ON p.coin = f.fee_coin
        WHERE f.observed_at = {_LAST}
          AND p.observed_at = (SELECT max(observed_at) FROM price)
        GROUP BY f.coin
        """,
    # quantileExact takes the value after the one that quantile_disc takes when 0.9 of the rows are
    # a whole number; a level this little lower takes the same.
    "90th percentile of each pair": """
        SELECT coin, chain, quantileExact(0.8999999)(fee_amount) FROM {fee}
        WHERE poll_id < {last_poll} GROUP BY coin, chain
        """,
    "movers in 24 hours": f"""
        SELECT n.coin, n.chain, n.fee_amount, b.fee_amount
        FROM (SELECT * FROM {{fee}} WHERE observed_at = {_LAST}) AS n
        JOIN (SELECT * FROM {{fee}} WHERE poll_id = {{day_poll}}) AS b
            ON n.coin = b.coin AND n.chain = b.chain
        ORDER BY abs(toFloat64(n.fee_amount) / toFloat64(b.fee_amount) - 1) DESC, n.coin, n.chain
        LIMIT 20
        """,
    "7 days of changes in EUR of then": f"""
        SELECT f.chain, count(), max(f.fee * toFloat64(r.usd_rate))
        FROM (
            SELECT c.chain AS chain, c.observed_at AS observed_at, 'EUR' AS fiat,
                   toFloat64(c.fee_amount) * toFloat64(p.price_usd) AS fee
            FROM (
                SELECT * FROM {_CHANGES.format(since=_WEEK, where="")}
                WHERE {_IS_CHANGE} AND observed_at >= {_WEEK}
            ) AS c
            ASOF JOIN price AS p ON p.coin = c.fee_coin AND p.observed_at <= c.observed_at
        ) AS f
        ASOF JOIN rate AS r ON r.fiat = f.fiat AND r.observed_at <= f.observed_at
        GROUP BY f.chain
        """,
    "polls per day": """
        SELECT toDate32(observed_at) AS day, uniqExact(poll_id) FROM {fee} GROUP BY day
        """,
    "snapshot of any poll": """
        SELECT coin, chain, fee_amount, fee_coin FROM {fee} WHERE poll_id = {some_poll}
        """,
    "fees as of a day ago": """
        SELECT coin, chain, fee_amount FROM {fee} WHERE poll_id = {day_poll}
        """,
    "30 days of one pair, poll by poll": f"""
        SELECT observed_at, fee_amount, fee_coin FROM {{fee}}
        WHERE coin = '{{coin}}' AND chain = '{{chain}}' AND observed_at >= {_MONTH}
        """,
}
