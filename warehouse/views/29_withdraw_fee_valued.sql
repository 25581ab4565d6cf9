-- inner: store.withdraw_fee_valued
-- grain: one row per pair and stretch of time with the same answer, with what it was worth in USD then
-- key: entity_id, valid_from
-- consumers: withdraw_fee_history, withdraw_fee_in, the roll-ups; a filter on a pair or on valid_from reaches the store, as there is no window in it
-- example: SELECT coin, chain, fee_usd FROM store.withdraw_fee_valued WHERE valid_to IS NULL
-- from_no, to_no, and the fee as digits and scale, are those of store.withdraw_fee_span.
CREATE OR REPLACE VIEW store.withdraw_fee_valued AS
WITH price AS (
    SELECT e.coin_id, s.price_usd, s.price_usd_digits, s.price_usd_scale, s.valid_from, s.valid_to
    FROM store.coin_price_span AS s
    JOIN store.coin_price_entity AS e USING (entity_id)
    WHERE s.unknown_reason IS NULL
),

-- When prices were confirmed, and how old one may be: three cadences of getCoinList as planned then,
-- of getCoinUSDTPrice where getCoinList is not polled. getCoinUSDTPrice is asked for every fee coin;
-- getCoinList says nothing of those it does not list, so it confirms only where nothing else does.
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

-- The names first, so that a filter on them is applied before anything is valued.
fee AS (
    SELECT s.*, e.coin_id, coin.coin, e.chain
    FROM store.withdraw_fee_span AS s
    JOIN store.withdraw_fee_entity AS e USING (entity_id)
    LEFT JOIN main.coin USING (coin_id)
    WHERE s.unknown_reason IS NULL AND s.state IN ('ok', 'refused')
),

-- A price that is unknown at valid_from is the older for it: it was last confirmed before its
-- stretch ended.
priced AS (
    SELECT
        f.*,
        price.price_usd,
        price.price_usd_digits,
        price.price_usd_scale,
        price.valid_from AS priced_from,
        CASE
            WHEN price.valid_to <= f.valid_from THEN price.valid_to - INTERVAL 1 MICROSECOND
            ELSE f.valid_from
        END AS priced_until
    FROM fee AS f
    ASOF LEFT JOIN price ON price.coin_id = f.fee_coin_id AND price.valid_from <= f.valid_from
),

aged AS (
    SELECT
        p.*,
        -- greatest() passes over NULL: what has no price has no age of one.
        CASE
            WHEN p.price_usd IS NOT NULL
                THEN epoch(p.valid_from) - epoch(greatest(q.confirmed_at, p.priced_from))
        END AS price_age_s,
        q.limit_s
    FROM priced AS p
    ASOF LEFT JOIN price_poll AS q ON q.observed_at <= p.priced_until
)

SELECT
    entity_id,
    coin_id,
    coin,
    chain,
    state,
    refusal_code,
    fee_amount,
    fee_amount_digits,
    fee_amount_scale,
    fee_coin_id,
    fee_coin,
    CASE
        WHEN price_age_s <= limit_s
            THEN store.exact_product_of(fee_amount_digits, fee_amount_scale, price_usd_digits, price_usd_scale)
    END AS fee_usd,
    price_usd,
    price_age_s::BIGINT AS price_age_s,
    valid_from,
    valid_to,
    poll_id,
    from_no,
    to_no
FROM aged;
