-- view: swap_coin_now
-- grain: one row per coin that can be swapped now
-- key: coin_id
-- consumers: analysts
-- example: SELECT coin_id, coin FROM swap_coin_now ORDER BY coin
-- column coin_id: CCPayment's id of the coin
-- column coin: its symbol
-- column observed_at: when the swap list was last answered
-- column data_age_s: seconds since then
-- column is_stale: whether that is more than three cadences
CREATE OR REPLACE VIEW swap_coin_now AS
SELECT
    e.coin_id,
    c.coin,
    c.answered_at AS observed_at,
    store.data_age_s(c.answered_at) AS data_age_s,
    store.is_stale('coins', c.answered_at) AS is_stale
FROM store.swap_coin_entity AS e
JOIN store.swap_coin_current AS c USING (entity_id)
WHERE c.state = 'ok';
