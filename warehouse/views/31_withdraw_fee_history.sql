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
-- column fee_usd: fee_amount x the fee coin's price as of valid_from, exact, rounded to 12 places; NULL without a price
-- column price_usd: that price
-- column price_age_s: seconds from the poll in which the price was last seen to change, to valid_from
-- column valid_from: when this answer was first received
-- column valid_to: when the next poll said something else or nothing; NULL while it is still so
-- column fee_amount_change_pct: change of the fee in the same fee coin against the row before, in percent
-- column price_change_pct: change of the fee coin's price against the row before, in percent
-- column poll_id: the poll in which this answer was first received
CREATE OR REPLACE VIEW withdraw_fee_history AS
WITH fee_poll AS (
    SELECT poll_id, observed_at, outcome
    FROM store.poll
    WHERE feed = 'fees' AND outcome <> 'skipped'
),

-- Polls without an answer for a pair: it was in a gap, or the whole poll failed.
silent AS (
    SELECT g.poll_id, unnest(g.entity_ids) AS entity_id
    FROM store.poll_gap AS g
    WHERE g.dataset = 'withdraw_fee'
    UNION ALL
    SELECT p.poll_id, e.entity_id
    FROM fee_poll AS p
    JOIN store.withdraw_fee_entity AS e ON e.first_poll_id <= p.poll_id
    WHERE p.outcome = 'failed'
),

-- The first answer after a silence begins a row even when it says the same as before. Only what
-- borders a silence can: successive polls are numbered once, silences are looked up in that order.
numbered AS (
    SELECT poll_id, lead(poll_id) OVER (ORDER BY poll_id) AS next_poll_id
    FROM fee_poll
),

resumed AS (
    SELECT s.entity_id, n.next_poll_id AS poll_id
    FROM silent AS s
    JOIN numbered AS n USING (poll_id)
    WHERE n.next_poll_id IS NOT NULL
    EXCEPT
    SELECT entity_id, poll_id FROM silent
),

-- Everything at which a pair's story turns: an observation, the start of a silence, its end.
turn AS (
    SELECT entity_id, poll_id, state FROM store.withdraw_fee_observation
    UNION
    SELECT entity_id, poll_id, 'unknown' AS state FROM silent
    UNION
    SELECT r.entity_id, r.poll_id, o.state
    FROM resumed AS r
    ASOF JOIN store.withdraw_fee_observation AS o
        ON o.entity_id = r.entity_id AND o.poll_id <= r.poll_id
),

stretch AS (
    SELECT
        t.entity_id,
        t.poll_id,
        t.state,
        p.observed_at AS valid_from,
        lead(p.observed_at) OVER (PARTITION BY t.entity_id ORDER BY t.poll_id) AS valid_to
    FROM turn AS t
    JOIN fee_poll AS p USING (poll_id)
),

valued AS (
    SELECT
        s.*,
        o.refusal_code,
        o.fee_amount,
        o.fee_coin_id,
        o.fee_coin,
        price.price_usd,
        epoch(s.valid_from) - epoch(price.observed_at) AS price_age_s
    FROM stretch AS s
    ASOF JOIN store.withdraw_fee_observation AS o
        ON o.entity_id = s.entity_id AND o.poll_id <= s.poll_id
    ASOF LEFT JOIN (
        SELECT e.coin_id, c.price_usd, p.observed_at
        FROM store.coin_price_observation AS c
        JOIN store.coin_price_entity AS e USING (entity_id)
        JOIN store.poll AS p USING (poll_id)
    ) AS price ON price.coin_id = o.fee_coin_id AND price.observed_at <= s.valid_from
    WHERE s.state IN ('ok', 'refused')
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
    store.exact_product(c.fee_amount, c.price_usd) AS fee_usd,
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
