-- question: What did a USDT payout on TRX cost in EUR, change by change?
-- grain: one row per stretch of time with the same answer: a fee, or a refusal, which has none
-- key: coin_id, valid_from
-- consumers: treasury
-- edit: coin, chain and fiat
-- column coin_id: CCPayment's id of the coin
-- column valid_from: when this was first answered
-- column valid_to: when the next poll said something else or nothing; NULL while it is still so
-- column fee_amount: the fee, in units of the fee coin; NULL when refused
-- column fee_coin: the coin that the fee is charged in
-- column fee_eur: the fee in EUR as of valid_from
-- column reason: why there is no figure in EUR
SELECT coin_id, valid_from, valid_to, fee_amount, fee_coin, fee_fiat AS fee_eur, fee_fiat_reason AS reason
FROM withdraw_fee_in('EUR')
WHERE coin = 'USDT' AND chain = 'TRX'
ORDER BY coin_id, valid_from;
