-- question: Which payouts became dearer or cheaper by most in 24 hours, and was it the fee or the price of its coin?
-- grain: one row per pair whose fee and price are known now and a day ago, in the same fee coin
-- key: coin_id, chain
-- consumers: the board
WITH price AS (
    SELECT coin_id, price_usd
    FROM coin_price_history
    WHERE valid_from <= $now - INTERVAL 24 HOUR AND (valid_to IS NULL OR valid_to > $now - INTERVAL 24 HOUR)
),

compared AS (
    SELECT
        n.coin_id,
        n.coin,
        n.chain,
        n.fee_coin,
        e.fee_amount AS fee_then,
        n.fee_amount AS fee_now,
        n.fee_usd,
        n.fee_amount::DOUBLE / nullif(e.fee_amount, 0)::DOUBLE AS fee_ratio,
        q.price_usd::DOUBLE / nullif(p.price_usd, 0)::DOUBLE AS price_ratio
    FROM withdraw_fee_now AS n
    JOIN withdraw_fee_as_of($now - INTERVAL 24 HOUR) AS e
        ON e.coin_id = n.coin_id AND e.chain = n.chain AND e.fee_coin_id = n.fee_coin_id
    JOIN price AS p ON p.coin_id = n.fee_coin_id
    JOIN coin_price_now AS q ON q.coin_id = n.fee_coin_id
    WHERE n.state = 'ok'
)

SELECT
    * EXCLUDE (fee_ratio, price_ratio),
    round(100 * (fee_ratio - 1), 2) AS fee_change_pct,
    round(100 * (price_ratio - 1), 2) AS price_change_pct,
    round(100 * (fee_ratio * price_ratio - 1), 2) AS cost_change_pct
FROM compared
WHERE fee_ratio * price_ratio <> 1
ORDER BY abs(cost_change_pct) DESC, coin_id, chain
LIMIT 20
