-- question: What a USDT payout costs in US dollars has moved in 7 days: was it the fee or the price of the coin it is charged in?
-- grain: one row per chain whose fee and price are known at both moments, in the same fee coin
-- key: coin_id, chain
-- consumers: treasury
-- edit: coin and days
-- column coin_id: CCPayment's id of the coin
-- column chain: the chain
-- column fee_coin: the coin that the fee is charged in
-- column fee_then: the fee at the earlier moment, in units of the fee coin
-- column fee_now: the fee now
-- column price_then: price of the fee coin in US dollars at the earlier moment
-- column price_now: its price now
-- column fee_change_pct: how much the fee moved, in percent; NULL when it was nothing before
-- column price_change_pct: how much the price moved, in percent; NULL when it was nothing before
-- column cost_change_pct: how much both together moved the cost in US dollars, in percent; NULL when it was nothing before
-- column cause: what moved the cost by the larger factor: fee or price, fee when both did alike; none when neither moved it: what was free and is free does not move
WITH earlier AS (
    SELECT coin_id, chain, fee_amount, fee_coin_id
    FROM withdraw_fee_history
    WHERE coin = 'USDT'
        AND state = 'ok'
        AND valid_from <= now() - 7 * INTERVAL 24 HOUR
        AND (valid_to IS NULL OR valid_to > now() - 7 * INTERVAL 24 HOUR)
),

price AS (
    SELECT coin_id, price_usd
    FROM coin_price_history
    WHERE valid_from <= now() - 7 * INTERVAL 24 HOUR
        AND (valid_to IS NULL OR valid_to > now() - 7 * INTERVAL 24 HOUR)
),

compared AS (
    SELECT
        n.coin_id,
        n.chain,
        n.fee_coin,
        e.fee_amount AS fee_then,
        n.fee_amount AS fee_now,
        p.price_usd AS price_then,
        q.price_usd AS price_now,
        n.fee_amount::DOUBLE / nullif(e.fee_amount, 0)::DOUBLE AS fee_ratio,
        q.price_usd::DOUBLE / nullif(p.price_usd, 0)::DOUBLE AS price_ratio
    FROM withdraw_fee_now AS n
    JOIN earlier AS e ON e.coin_id = n.coin_id AND e.chain = n.chain AND e.fee_coin_id = n.fee_coin_id
    JOIN price AS p ON p.coin_id = n.fee_coin_id
    JOIN coin_price_now AS q ON q.coin_id = n.fee_coin_id
    WHERE n.state = 'ok'
)

SELECT
    coin_id,
    chain,
    fee_coin,
    fee_then,
    fee_now,
    price_then,
    price_now,
    round(100 * (fee_ratio - 1), 2) AS fee_change_pct,
    round(100 * (price_ratio - 1), 2) AS price_change_pct,
    round(100 * (fee_ratio * price_ratio - 1), 2) AS cost_change_pct,
    CASE
        WHEN fee_then = fee_now AND price_then = price_now THEN 'none'
        WHEN least(fee_then, price_then) = 0 AND least(fee_now, price_now) = 0 THEN 'none'
        -- From or to nothing is more than any factor.
        WHEN least(fee_then, fee_now) = 0 AND fee_then <> fee_now THEN 'fee'
        WHEN least(price_then, price_now) = 0 THEN 'price'
        -- As good as alike is alike: these are ratios of doubles.
        WHEN abs(ln(fee_ratio)) >= abs(ln(price_ratio)) - 1e-9 THEN 'fee'
        ELSE 'price'
    END AS cause
FROM compared
ORDER BY abs(cost_change_pct) DESC NULLS FIRST, coin_id, chain;
