-- question: What did a payout cost on each UTC day of the last 28, as the mean of its known full hours?
-- grain: one row per pair, fee coin and day
-- key: coin_id, chain, fee_coin_id, day
-- consumers: the board
SELECT
    entity_id, -- all coins
    hour_no // 24 AS day_no, -- all coins
    coin_id, -- one coin
    chain, -- one coin
    make_timestamptz(hour_no // 24 * 86400000000) AS day, -- one coin
    fee_coin_id,
    count(*) AS hours_known,
    avg(fee_amount) AS fee_amount,
    avg(fee_usd) AS fee_usd
FROM sample
GROUP BY entity_id, fee_coin_id, hour_no // 24 -- all coins
GROUP BY coin_id, chain, fee_coin_id, hour_no // 24 -- one coin
ORDER BY coin_id, chain, fee_coin_id, day -- one coin
