-- inner: store.withdraw_fee_valued
-- grain: one row per pair and stretch of time with the same answer, with what it was worth in USD then
-- key: entity_id, valid_from
-- consumers: withdraw_fee_history, withdraw_fee_in, the roll-ups; a filter on a pair or on valid_from reaches the store, as there is no window in it
-- example: SELECT coin, chain, fee_usd FROM store.withdraw_fee_valued WHERE valid_to IS NULL
CREATE OR REPLACE VIEW store.withdraw_fee_valued AS
WITH price AS (
    SELECT e.coin_id, s.price_usd, s.valid_from, s.valid_to
    FROM store.coin_price_span AS s
    JOIN store.coin_price_entity AS e USING (entity_id)
    WHERE s.unknown_reason IS NULL
),

-- When prices were confirmed, and how old one may be: three cadences of getCoinList as planned then,
-- of getCoinUSDTPrice where getCoinList is not polled.
price_poll AS (
    SELECT p.observed_at, 3 * coalesce(n.cadence_s, c.cadence_s) AS limit_s
    FROM store.ledger AS p
    ASOF LEFT JOIN (FROM store.cadence WHERE feed = 'networks') AS n ON n.valid_from <= p.observed_at
    ASOF LEFT JOIN (FROM store.cadence WHERE feed = 'prices') AS c ON c.valid_from <= p.observed_at
    WHERE p.feed IN ('prices', 'networks') AND p.outcome IN ('ok', 'partial')
),

-- A price that is unknown at valid_from is the older for it: it was last confirmed before its
-- stretch ended.
priced AS (
    SELECT
        s.*,
        price.price_usd,
        price.valid_from AS priced_from,
        CASE
            WHEN price.valid_to <= s.valid_from THEN price.valid_to - INTERVAL 1 MICROSECOND
            ELSE s.valid_from
        END AS priced_until
    FROM store.withdraw_fee_span AS s
    ASOF LEFT JOIN price ON price.coin_id = s.fee_coin_id AND price.valid_from <= s.valid_from
    WHERE s.unknown_reason IS NULL AND s.state IN ('ok', 'refused')
),

aged AS (
    SELECT
        s.*,
        epoch(s.valid_from) - epoch(greatest(p.observed_at, s.priced_from)) AS price_age_s,
        p.limit_s
    FROM priced AS s
    ASOF LEFT JOIN price_poll AS p ON p.observed_at <= s.priced_until
)

SELECT
    a.entity_id,
    e.coin_id,
    coin.coin,
    e.chain,
    a.state,
    a.refusal_code,
    a.fee_amount,
    a.fee_coin_id,
    a.fee_coin,
    CASE WHEN a.price_age_s <= a.limit_s THEN store.exact_product(a.fee_amount, a.price_usd) END AS fee_usd,
    a.price_usd,
    a.price_age_s::BIGINT AS price_age_s,
    a.valid_from,
    a.valid_to,
    a.poll_id
FROM aged AS a
JOIN store.withdraw_fee_entity AS e USING (entity_id)
LEFT JOIN coin USING (coin_id);
