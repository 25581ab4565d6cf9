-- question: How has the fee of USDT on TRX moved over the last 30 days?
-- grain: one row per stretch of time with the same answer; time that no row covers is unknown
-- key: coin_id, valid_from
-- consumers: treasury
-- edit: coin, chain and days
-- column coin_id: CCPayment's id of the coin
-- column valid_from: when this was first answered
-- column valid_to: when the next poll said something else or nothing; NULL while it is still so
-- column state: ok or refused
-- column refusal_code: the API's code of a refusal
-- column fee_amount: the fee, exact, in units of the fee coin
-- column fee_coin: the coin that the fee is charged in
-- column fee_usd: what it was worth in US dollars when it was first answered
SELECT coin_id, valid_from, valid_to, state, refusal_code, fee_amount, fee_coin, fee_usd
FROM withdraw_fee_history
WHERE coin = 'USDT'
    AND chain = 'TRX'
    AND (valid_to IS NULL OR valid_to > now() - 30 * INTERVAL 24 HOUR)
ORDER BY coin_id, valid_from;
