-- view: coin_price_history
-- grain: one row per coin and stretch of time with the same price; an unknown stretch (a failed or skipped poll, a gap) ends one row and the next answer begins another
-- key: coin_id, valid_from
-- consumers: analysts
-- example: SELECT valid_from, price_usd FROM coin_price_history WHERE coin = 'ETH' ORDER BY valid_from
-- column coin_id: CCPayment's id of the coin
-- column coin: symbol of the coin; NULL for a fee coin that no list names
-- column price_usd: price of one coin in US dollars (the API's USDT price), exact as answered
-- column valid_from: when this price was first received
-- column valid_to: when the next poll said something else or nothing; NULL while it is still so
-- column poll_id: the poll in which it was first received
CREATE OR REPLACE VIEW coin_price_history AS
SELECT e.coin_id, coin.coin, s.price_usd, s.valid_from, s.valid_to, s.poll_id
FROM store.coin_price_span AS s
JOIN store.coin_price_entity AS e USING (entity_id)
LEFT JOIN coin USING (coin_id)
WHERE s.unknown_reason IS NULL AND s.state = 'ok';
