-- view: coin_price_now
-- grain: one row per coin with a price
-- key: coin_id
-- consumers: analysts, withdraw_fee_now
-- example: SELECT coin, price_usd, data_age_s FROM coin_price_now WHERE coin = 'ETH'
-- column coin_id: CCPayment's id of the coin
-- column coin: symbol of the coin; of one that no list names, as a fee names it; NULL when nothing does
-- column price_usd: price of one coin in US dollars (the API's USDT price), exact as answered
-- column observed_at: when the last answer about this coin's price was received
-- column data_age_s: seconds since then
-- column is_stale: whether that is more than three cadences of getCoinList, the slower of its two sources (of getCoinUSDTPrice if getCoinList is never polled); never NULL
CREATE OR REPLACE VIEW coin_price_now AS
SELECT
    e.coin_id,
    coalesce(n.coin, f.fee_coin) AS coin,
    c.price_usd,
    c.answered_at AS observed_at,
    store.data_age_s(c.answered_at) AS data_age_s,
    -- What cannot be judged is not trusted.
    coalesce(now() > store.price_stale_from(c.answered_at), true) AS is_stale
FROM store.coin_price_entity AS e
JOIN store.coin_price_current AS c USING (entity_id)
LEFT JOIN coin AS n USING (coin_id)
LEFT JOIN (
    SELECT fee_coin_id AS coin_id, any_value(fee_coin) AS fee_coin
    FROM store.withdraw_fee_current
    WHERE fee_coin_id IS NOT NULL
    GROUP BY fee_coin_id
) AS f USING (coin_id)
WHERE c.state = 'ok';
