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
    LEFT JOIN main.coin USING (coin_id)
    LEFT JOIN store.watch_setting AS d ON d.kind = 'default_route' AND d.name = coin.coin
    WHERE d.value IS NOT NULL
        OR EXISTS (FROM store.watch_setting AS w WHERE w.kind = 'coin' AND w.name = coin.coin)
        OR NOT EXISTS (FROM store.watch_setting AS w WHERE w.kind IN ('coin', 'default_route'))
),

fee AS (
    SELECT
        m.month,
        e.coin_id,
        e.chain,
        s.fee_coin_id,
        any_value(c.default_chain) AS default_chain,
        store.weighted_mean(
            s.fee_amount, store.overlap_us(s.valid_from, coalesce(s.valid_to, d.good_at), m.begins_at, m.ends_at)
        ) AS fee_amount,
        sum(store.overlap_us(s.valid_from, coalesce(s.valid_to, d.good_at), m.begins_at, m.ends_at))::BIGINT AS known_us
    FROM store.withdraw_fee_span AS s
    JOIN store.withdraw_fee_entity AS e USING (entity_id)
    JOIN coin_asked AS c USING (coin_id)
    JOIN store.dataset_now AS d ON d.dataset = 'withdraw_fee'
    JOIN store.local_month AS m
        ON s.valid_from < m.ends_at AND coalesce(s.valid_to, d.good_at) > m.begins_at
    WHERE s.unknown_reason IS NULL AND s.state = 'ok'
    GROUP BY m.month, e.coin_id, e.chain, s.fee_coin_id
),

price AS (
    SELECT
        m.month,
        e.coin_id,
        store.weighted_mean(
            s.price_usd, store.overlap_us(s.valid_from, coalesce(s.valid_to, d.good_at), m.begins_at, m.ends_at)
        ) AS price_usd
    FROM store.coin_price_span AS s
    JOIN store.coin_price_entity AS e USING (entity_id)
    JOIN store.dataset_now AS d ON d.dataset = 'coin_price'
    JOIN store.local_month AS m
        ON s.valid_from < m.ends_at AND coalesce(s.valid_to, d.good_at) > m.begins_at
    WHERE s.unknown_reason IS NULL AND s.state = 'ok' AND e.coin_id IN (SELECT fee_coin_id FROM store.withdraw_fee_span)
    GROUP BY m.month, e.coin_id
),

valued AS (
    SELECT
        f.*,
        TRY_CAST(store.exact_product(f.fee_amount, p.price_usd) AS DECIMAL(38, 18)) AS fee_usd
    FROM fee AS f
    JOIN price AS p ON p.coin_id = f.fee_coin_id AND p.month = f.month
),

-- A route that was charged in two coins has a mean in each.
route AS (
    SELECT
        month,
        coin_id,
        chain,
        any_value(default_chain) AS default_chain,
        round(store.weighted_mean(fee_usd, known_us), 12)::DECIMAL(38, 12) AS fee_usd,
        sum(known_us)::BIGINT AS known_us
    FROM valued
    WHERE fee_usd IS NOT NULL AND known_us > 0
    GROUP BY month, coin_id, chain
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
