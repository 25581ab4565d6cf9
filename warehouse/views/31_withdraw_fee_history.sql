-- view: withdraw_fee_history
-- grain: one row per pair and stretch of time in which its answer was the same; an unknown stretch ends one row and the next answer begins another
-- key: coin_id, chain, valid_from
-- consumers: analysts
-- example: SELECT valid_from, valid_to, fee_amount, fee_coin, fee_usd FROM withdraw_fee_history WHERE coin = 'USDT' AND chain = 'TRX' ORDER BY valid_from
-- column coin_id: CCPayment's id of the coin that is paid out
-- column coin: its symbol
-- column chain: the chain it is paid out on
-- column state: ok or refused
-- column refusal_code: the API's code when refused
-- column fee_amount: network fee in units of the fee coin, exact as answered
-- column fee_coin_id: id of the coin in which the fee is charged
-- column fee_coin: symbol of that coin
-- column fee_usd: fee_amount x the fee coin's price as of valid_from, exact, rounded to 12 places; NULL without a price, or when price_age_s is more than three cadences of getCoinList as planned then (of getCoinUSDTPrice if getCoinList was not polled)
-- column price_usd: that price
-- column price_age_s: seconds from the poll in which the price was last confirmed, to valid_from
-- column valid_from: when this answer was first received
-- column valid_to: when the next poll said something else or nothing; NULL while it is still so
-- column fee_amount_change_pct: change of the fee in the same fee coin against the row before, in percent
-- column price_change_pct: change of the fee coin's price against the row before, in percent
-- column poll_id: the poll in which this answer was first received
CREATE OR REPLACE VIEW withdraw_fee_history AS
WITH stretch AS (
    SELECT s.*, o.refusal_code, o.fee_amount, o.fee_coin_id, o.fee_coin
    FROM store.stretches('fees', 'withdraw_fee') AS s
    JOIN store.withdraw_fee_observation AS o ON o.entity_id = s.entity_id AND o.poll_id = s.answer_poll_id
    WHERE s.state IN ('ok', 'refused')
),

price AS (
    SELECT e.coin_id, o.price_usd, s.valid_from, s.valid_to
    FROM store.stretches('prices', 'coin_price') AS s
    JOIN store.coin_price_observation AS o ON o.entity_id = s.entity_id AND o.poll_id = s.answer_poll_id
    JOIN store.coin_price_entity AS e ON e.entity_id = s.entity_id
    WHERE s.state <> 'unknown'
),

price_poll AS (
    SELECT observed_at
    FROM store.poll
    WHERE feed IN ('prices', 'networks') AND outcome IN ('ok', 'partial')
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
    FROM stretch AS s
    ASOF LEFT JOIN price ON price.coin_id = s.fee_coin_id AND price.valid_from <= s.valid_from
),

valued AS (
    SELECT
        s.*,
        epoch(s.valid_from) - epoch(greatest(p.observed_at, s.priced_from)) AS price_age_s,
        3 * coalesce(n.cadence_s, c.cadence_s) AS price_limit_s
    FROM priced AS s
    ASOF LEFT JOIN price_poll AS p ON p.observed_at <= s.priced_until
    ASOF LEFT JOIN (FROM store.cadence WHERE feed = 'networks') AS n ON n.valid_from <= s.valid_from
    ASOF LEFT JOIN (FROM store.cadence WHERE feed = 'prices') AS c ON c.valid_from <= s.valid_from
),

compared AS (
    SELECT
        v.*,
        lag(v.fee_amount) OVER pair AS fee_before,
        lag(v.fee_coin_id) OVER pair AS fee_coin_before,
        lag(v.price_usd) OVER pair AS price_before
    FROM valued AS v
    WINDOW pair AS (PARTITION BY v.entity_id ORDER BY v.poll_id)
)

SELECT
    e.coin_id,
    coin.coin,
    e.chain,
    c.state,
    c.refusal_code,
    c.fee_amount,
    c.fee_coin_id,
    c.fee_coin,
    CASE WHEN c.price_age_s <= c.price_limit_s THEN store.exact_product(c.fee_amount, c.price_usd) END AS fee_usd,
    c.price_usd,
    c.price_age_s::BIGINT AS price_age_s,
    c.valid_from,
    c.valid_to,
    CASE WHEN c.fee_coin_id = c.fee_coin_before THEN store.change_pct(c.fee_before, c.fee_amount) END
        AS fee_amount_change_pct,
    CASE WHEN c.fee_coin_id = c.fee_coin_before THEN store.change_pct(c.price_before, c.price_usd) END
        AS price_change_pct,
    c.poll_id
FROM compared AS c
JOIN store.withdraw_fee_entity AS e USING (entity_id)
LEFT JOIN coin USING (coin_id);
