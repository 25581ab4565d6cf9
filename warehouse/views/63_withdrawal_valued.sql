-- inner: store.withdrawal_valued
-- grain: one row per imported withdrawal, with what it cost in USD then and what the cheapest usable route of its coin would have cost
-- key: record_id
-- consumers: withdrawal_cost_in
-- example: SELECT month, coin_id, chain, fee_usd, cheapest_usd FROM store.withdrawal_valued
-- Fees, prices, statuses and limits are those known at the moment of the withdrawal. A price counts
-- until it is three cadences old, as everywhere; a fee counts while its stretch goes on, if the last
-- good fee poll is not older than three cadences either.
CREATE OR REPLACE VIEW store.withdrawal_valued AS
WITH price AS (
    SELECT e.coin_id, s.price_usd, s.valid_from, s.valid_to
    FROM store.coin_price_span AS s
    JOIN store.coin_price_entity AS e USING (entity_id)
    WHERE s.unknown_reason IS NULL
),

-- As in withdraw_fee_valued: getCoinList confirms prices only where nothing else does.
price_poll AS (
    SELECT
        p.observed_at,
        CASE
            WHEN bool_or(p.feed = 'prices') OVER ()
                THEN max(CASE WHEN p.feed = 'prices' THEN p.observed_at END) OVER (ORDER BY p.observed_at)
            ELSE p.observed_at
        END AS confirmed_at,
        3 * coalesce(n.cadence_s, c.cadence_s) AS limit_s
    FROM store.ledger AS p
    ASOF LEFT JOIN (FROM store.cadence WHERE feed = 'networks') AS n ON n.valid_from <= p.observed_at
    ASOF LEFT JOIN (FROM store.cadence WHERE feed = 'prices') AS c ON c.valid_from <= p.observed_at
    WHERE p.feed IN ('prices', 'networks') AND p.outcome IN ('ok', 'partial')
),

withdrawal AS (
    SELECT
        w.*,
        date_trunc('month', w.withdrawn_at AT TIME ZONE store.local_zone())::DATE AS month,
        w.withdrawn_at <= p.observed_at + to_seconds(3 * p.cadence_s) AS is_quoted
    FROM store.withdrawal AS w
    ASOF LEFT JOIN (FROM store.ledger WHERE feed = 'fees' AND outcome IN ('ok', 'partial')) AS p
        ON w.withdrawn_at >= p.observed_at
),

network AS (
    SELECT e.coin_id, e.chain, s.*
    FROM store.coin_network_span AS s
    JOIN store.coin_network_entity AS e USING (entity_id)
    WHERE s.unknown_reason IS NULL
),

status AS (
    SELECT e.chain, s.valid_from, CASE WHEN s.unknown_reason IS NULL THEN s.state END AS state, s.valid_to
    FROM store.chain_span AS s
    JOIN store.chain_entity AS e USING (entity_id)
),

-- The routes of each withdrawal's coin, as quoted at its moment.
quote AS (
    SELECT
        w.record_id,
        w.withdrawn_at,
        e.chain,
        w.chain = e.chain AS is_own,
        s.fee_amount,
        s.fee_coin_id,
        (c.valid_from IS NULL OR (c.state = 'normal' AND coalesce(c.valid_to > w.withdrawn_at, true)))
        AND (
            coalesce(n.state, 'absent') <> 'ok'
            OR (
                n.can_withdraw IS NOT false
                AND coalesce(w.amount >= n.min_withdraw_amount, true)
                AND coalesce(w.amount <= nullif(n.max_withdraw_amount, 0), true)
            )
        ) AS is_usable
    FROM withdrawal AS w
    JOIN store.withdraw_fee_entity AS e USING (coin_id)
    ASOF JOIN store.withdraw_fee_span AS s ON s.entity_id = e.entity_id AND s.valid_from <= w.withdrawn_at
    ASOF LEFT JOIN network AS n
        ON n.coin_id = e.coin_id AND n.chain = e.chain AND n.valid_from <= w.withdrawn_at
    ASOF LEFT JOIN status AS c ON c.chain = e.chain AND c.valid_from <= w.withdrawn_at
    WHERE w.is_quoted
        AND s.unknown_reason IS NULL
        AND s.state = 'ok'
        AND coalesce(s.valid_to > w.withdrawn_at, true)
),

fee AS (
    SELECT record_id, withdrawn_at, fee_amount, fee_coin_id, true AS is_own, false AS is_usable, true AS is_recorded
    FROM withdrawal
    WHERE fee_amount IS NOT NULL
    UNION ALL
    SELECT record_id, withdrawn_at, fee_amount, fee_coin_id, is_own, is_usable, false
    FROM quote
),

priced AS (
    SELECT
        f.*,
        price.price_usd,
        price.valid_from AS priced_from,
        CASE
            WHEN price.valid_to <= f.withdrawn_at THEN price.valid_to - INTERVAL 1 MICROSECOND
            ELSE f.withdrawn_at
        END AS priced_until
    FROM fee AS f
    ASOF LEFT JOIN price ON price.coin_id = f.fee_coin_id AND price.valid_from <= f.withdrawn_at
),

worth AS (
    SELECT
        f.*,
        CASE
            WHEN f.fee_amount = 0 THEN 0
            WHEN epoch(f.withdrawn_at) - epoch(greatest(p.confirmed_at, f.priced_from)) <= p.limit_s
                THEN store.exact_product(f.fee_amount, f.price_usd)
        END::DECIMAL(38, 12) AS usd
    FROM priced AS f
    ASOF LEFT JOIN price_poll AS p ON p.observed_at <= f.priced_until
),

summed AS (
    SELECT
        record_id,
        max(usd) FILTER (WHERE is_recorded) AS recorded_usd,
        max(usd) FILTER (WHERE is_own AND NOT is_recorded) AS quoted_usd,
        min(usd) FILTER (WHERE is_usable) AS usable_usd
    FROM worth
    GROUP BY record_id
)

SELECT
    w.record_id,
    w.withdrawn_at,
    w.month,
    w.coin_id,
    w.chain,
    w.amount,
    w.fee_amount IS NOT NULL AS is_recorded,
    CASE WHEN w.fee_amount IS NULL THEN s.quoted_usd ELSE s.recorded_usd END AS fee_usd,
    -- What was paid was possible.
    CASE WHEN s.usable_usd < fee_usd THEN s.usable_usd WHEN s.usable_usd IS NOT NULL THEN fee_usd END AS cheapest_usd
FROM withdrawal AS w
LEFT JOIN summed AS s USING (record_id);
