-- question: Which pairs may have had an unusually high fee in the last 8 days?
-- grain: one row, a list of pairs
-- key: none
-- consumers: spikes.sql when it asks for all coins: the rule itself takes half a minute for all pairs
-- A spike is at least twice its base, the median of a week. Half of that week is at or below it, an
-- eighth of the four weeks here, so the base is not below their eighth part, when polls come as
-- regularly in all of them. The highest fee at the
-- highest price is not below what any poll saw, also between full hours.
WITH lowest AS (
    SELECT entity_id, fee_coin_id, quantile_disc(fee_usd, 0.125) AS usd
    FROM sample
    GROUP BY ALL
),

price AS (
    SELECT coin_id, max(price_usd)::DOUBLE AS usd
    FROM coin_price_history
    WHERE valid_to IS NULL OR valid_to > $now - 8 * INTERVAL 24 HOUR
    GROUP BY coin_id
),

fee AS (
    SELECT entity_id, fee_coin_id, max(fee_amount)::DOUBLE AS amount
    FROM store.withdraw_fee_span
    WHERE state = 'ok' AND (valid_to IS NULL OR valid_to > $now - 8 * INTERVAL 24 HOUR)
    GROUP BY entity_id, fee_coin_id
)

SELECT coalesce(list(DISTINCT f.entity_id), []) AS pairs
FROM fee AS f
JOIN price AS p ON p.coin_id = f.fee_coin_id
JOIN lowest AS l ON l.entity_id = f.entity_id AND l.fee_coin_id = f.fee_coin_id
WHERE f.amount * p.usd > 2 * l.usd AND f.amount * p.usd - l.usd >= 0.5
