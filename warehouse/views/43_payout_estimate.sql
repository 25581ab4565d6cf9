-- inner: store.payout_estimate
-- grain: one row per month (in the configured time zone) without imported withdrawals and coin: what one payout would have cost on average
-- key: month, coin_id
-- consumers: withdrawal_cost_in
-- example: SELECT month, coin_id, chain, fee_usd, cheapest_usd FROM store.payout_estimate
-- The payout takes the coin's default route (ccpay.toml), without one the route that was cheapest in
-- that month. Fees are means over the time in which they were known, at the mean price of the fee coin
-- over the time in which that was known: a fee that stays the same for months is not worth the same.
-- Beside it stands the cheapest of the routes that were known for at least half as long as the best
-- known one. Coins: those watched or with a default route, and all when none is.
CREATE OR REPLACE VIEW store.payout_estimate AS
WITH coin_asked AS (
    SELECT e.coin_id, d.value AS default_chain
    FROM (SELECT DISTINCT coin_id FROM store.withdraw_fee_entity) AS e
    LEFT JOIN coin USING (coin_id)
    LEFT JOIN store.watch_setting AS d ON d.kind = 'default_route' AND d.name = coin.coin
    WHERE d.value IS NOT NULL
        OR EXISTS (FROM store.watch_setting AS w WHERE w.kind = 'coin' AND w.name = coin.coin)
        OR NOT EXISTS (FROM store.watch_setting AS w WHERE w.kind IN ('coin', 'default_route'))
),

fee AS (
    SELECT
        e.coin_id,
        e.chain,
        c.default_chain,
        s.fee_amount,
        s.fee_coin_id,
        s.valid_from,
        coalesce(s.valid_to, d.good_at) AS valid_to,
        z.zone,
        unnest(store.local_months(s.valid_from, coalesce(s.valid_to, d.good_at), z.zone)) AS month_start
    FROM store.withdraw_fee_span AS s
    JOIN store.withdraw_fee_entity AS e USING (entity_id)
    JOIN coin_asked AS c USING (coin_id)
    JOIN store.dataset_now AS d ON d.dataset = 'withdraw_fee'
    CROSS JOIN (SELECT store.local_zone() AS zone) AS z
    WHERE s.unknown_reason IS NULL AND s.state = 'ok'
),

price AS (
    SELECT
        e.coin_id,
        CASE WHEN s.price_usd < 1000000000000 THEN s.price_usd END AS price_usd,
        s.valid_from,
        coalesce(s.valid_to, d.good_at) AS valid_to,
        z.zone,
        unnest(store.local_months(s.valid_from, coalesce(s.valid_to, d.good_at), z.zone)) AS month_start
    FROM store.coin_price_span AS s
    JOIN store.coin_price_entity AS e USING (entity_id)
    JOIN store.dataset_now AS d ON d.dataset = 'coin_price'
    CROSS JOIN (SELECT store.local_zone() AS zone) AS z
    WHERE s.unknown_reason IS NULL AND s.state = 'ok' AND e.coin_id IN (SELECT fee_coin_id FROM fee)
),

mean_price AS (
    SELECT
        coin_id,
        month_start,
        store.weighted_mean(price_usd, store.month_us(valid_from, valid_to, month_start, zone)) AS price_usd
    FROM price
    WHERE price_usd IS NOT NULL
    GROUP BY coin_id, month_start
),

valued AS (
    SELECT
        f.*,
        store.exact_product(f.fee_amount, p.price_usd::DECIMAL(38, 18)) AS usd,
        CASE WHEN usd < 1000000000000 THEN usd END AS fee_usd,
        store.month_us(f.valid_from, f.valid_to, f.month_start, f.zone) AS known_us
    FROM fee AS f
    JOIN mean_price AS p ON p.coin_id = f.fee_coin_id AND p.month_start = f.month_start
),

route AS (
    SELECT
        month_start::DATE AS month,
        coin_id,
        chain,
        any_value(default_chain) AS default_chain,
        store.weighted_mean(fee_usd, known_us) AS fee_usd,
        sum(known_us) AS known_us
    FROM valued
    WHERE fee_usd IS NOT NULL AND known_us > 0
    GROUP BY month_start, coin_id, chain
),

compared AS (
    SELECT *, 2 * known_us >= max(known_us) OVER (PARTITION BY month, coin_id) AS is_known
    FROM route
),

ranked AS (
    SELECT
        *,
        min(CASE WHEN is_known THEN fee_usd END) OVER (PARTITION BY month, coin_id) AS cheapest_usd,
        row_number() OVER (
            PARTITION BY month, coin_id
            ORDER BY CASE WHEN default_chain IS NOT NULL THEN chain <> default_chain ELSE NOT is_known END, fee_usd, chain
        ) AS choice
    FROM compared
    QUALIFY choice = 1 AND coalesce(chain = default_chain, true)
)

SELECT r.month, r.coin_id, r.chain, r.fee_usd, least(r.fee_usd, r.cheapest_usd) AS cheapest_usd
FROM ranked AS r
ANTI JOIN (
    SELECT DISTINCT date_trunc('month', withdrawn_at AT TIME ZONE store.local_zone())::DATE AS month
    FROM store.withdrawal
) AS real USING (month);
