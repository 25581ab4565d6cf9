-- question: What did we know about the fees of USDT on a day in the past?
-- grain: one row per chain that was answered or asked for then
-- key: coin_id, chain
-- consumers: treasury, in a dispute
-- edit: the moment and the coin
-- column coin_id: CCPayment's id of the coin
-- column chain: the chain
-- column state: ok, refused or unknown at that moment
-- column fee_amount: the fee as it was known then, in units of the fee coin
-- column fee_coin: the coin that it was charged in
-- column refusal_code: the API's code of a refusal
-- column unknown_reason: why nothing was known
-- column observed_at: when the last poll by then was answered
SELECT coin_id, chain, state, fee_amount, fee_coin, refusal_code, unknown_reason, observed_at
FROM withdraw_fee_as_of(now() - 7 * INTERVAL 24 HOUR)
WHERE coin = 'USDT'
ORDER BY coin_id, chain;
