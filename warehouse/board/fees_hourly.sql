-- question: What did a payout cost at each full hour of the last 7 days? Hours without a row are unknown.
-- grain: one row per pair, fee coin and full hour
-- key: coin_id, chain, fee_coin_id, hour
-- consumers: the board
SELECT
    entity_id, -- all coins
    hour_no, -- all coins
    coin_id, -- one coin
    chain, -- one coin
    make_timestamptz(hour_no * 3600000000) AS hour, -- one coin
    fee_coin_id,
    fee_amount,
    fee_usd
FROM sample
WHERE hour_no > epoch($now) // 3600 - 168
ORDER BY coin_id, chain, fee_coin_id, hour -- one coin
