"""The questions as an analyst asks the published views of the store: nothing but views and macros.

Owns the text of each form by the name of its question. {names} in braces come from questions.py,
which also says what is asked. Called by questions.py.
"""

from __future__ import annotations

FORMS = {
    "latest, all pairs": """
        SELECT coin, chain, fee_amount, fee_coin FROM withdraw_fee_now
        """,
    "30 days of one pair": """
        SELECT valid_from, fee_amount, fee_coin FROM withdraw_fee_history
        WHERE coin = '{coin}' AND chain = '{chain}' AND valid_from >= TIMESTAMPTZ '{month}'
        """,
    "days of one chain: open, high, low, close, average": """
        SELECT day, coin, open, high, low, close, average::DOUBLE FROM withdraw_fee_daily
        WHERE chain = '{chain}' AND day < '{end}'::DATE
        """,
    "cheapest chain per coin now": """
        SELECT coin, arg_min(chain, fee_usd) FROM withdraw_fee_now GROUP BY coin
        """,
    "90th percentile of each pair": """
        SELECT coin, chain, fee_amount FROM withdraw_fee_quantile(0.9)
        """,
    "movers in 24 hours": """
        SELECT coin, chain, fee_amount, fee_amount_24h_ago
        FROM withdraw_fee_now
        WHERE fee_amount_24h_ago IS NOT NULL
        ORDER BY abs(fee_amount_change_24h_pct) DESC, coin, chain LIMIT 20
        """,
    "7 days of changes in EUR of then": """
        SELECT chain, count(*), max(fee_fiat)::DOUBLE
        FROM withdraw_fee_in('EUR')
        WHERE valid_from >= TIMESTAMPTZ '{week}' AND fee_fiat IS NOT NULL
        GROUP BY chain
        """,
    "polls per day": """
        SELECT day, ok + partial FROM poll_coverage WHERE feed = 'fees' AND ok + partial > 0
        """,
    "snapshot of any poll": """
        SELECT coin, chain, fee_amount, fee_coin FROM withdraw_fee_snapshot
        WHERE poll_id = {some_poll}
        """,
    "fees as of a day ago": """
        SELECT coin, chain, fee_amount FROM withdraw_fee_as_of(TIMESTAMPTZ '{day_ago}')
        """,
    "30 days of one pair, poll by poll": """
        SELECT observed_at, fee_amount, fee_coin FROM withdraw_fee_snapshot
        WHERE coin = '{coin}' AND chain = '{chain}' AND observed_at >= TIMESTAMPTZ '{month}'
        """,
}
