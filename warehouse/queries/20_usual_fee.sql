-- question: What is the usual fee of a USDT payout on each chain, and what is a high one?
-- grain: one row per chain and fee coin
-- key: coin_id, chain, fee_coin_id
-- consumers: treasury
-- edit: coin; the two shares of time
-- column coin_id: CCPayment's id of the coin
-- column chain: the chain
-- column fee_coin_id: id of the coin that the fee is charged in; symbols need not be unique
-- column fee_coin: its symbol
-- column usual_fee: half of the time the fee was at or below it, in units of the fee coin
-- column high_fee: 95 percent of the time it was at or below it
-- column known_days: days of known fees that this is based on, rounded to 2 places
SELECT
    u.coin_id,
    u.chain,
    u.fee_coin_id,
    u.fee_coin,
    u.fee_amount AS usual_fee,
    h.fee_amount AS high_fee,
    round(u.known_s / 86400, 2) AS known_days
FROM withdraw_fee_quantile(0.5) AS u
JOIN withdraw_fee_quantile(0.95) AS h USING (coin_id, chain, fee_coin_id)
WHERE u.coin = 'USDT'
ORDER BY u.coin_id, u.chain, u.fee_coin_id;
