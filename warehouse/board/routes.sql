-- question: On which chain is a payout cheapest now, which cannot be used and why?
-- grain: one row per coin and chain that it lives on
-- key: coin_id, chain
-- consumers: the board
SELECT
    r.coin_id,
    r.coin,
    r.chain,
    r.cost_rank,
    r.fee_usd,
    f.fee_amount,
    f.fee_coin,
    r.saves_vs_worst_usd,
    r.saves_vs_default_usd,
    r.min_withdraw_amount,
    r.max_withdraw_amount,
    r.needs_memo,
    r.reason_excluded,
    s.status,
    f.observed_at
FROM payout_route_ranking AS r -- all coins
FROM payout_route($coin, $amount) AS r -- one coin
JOIN withdraw_fee_now AS f ON f.coin_id = r.coin_id AND f.chain = r.chain
LEFT JOIN chain_status_now AS s ON s.chain = r.chain
ORDER BY r.coin_id, r.cost_rank NULLS LAST, r.chain
