-- question: What did payouts cost last month, in EUR, and how much of that was avoidable?
-- grain: one row per coin and chain; without imported withdrawals one row per coin, an estimate of one payout
-- key: coin_id, chain
-- consumers: treasury
-- edit: the fiat, and how many months before the present one (in UTC)
-- column month: first day of the month, in the time zone of ccpay.toml
-- column coin_id: CCPayment's id of the coin
-- column coin: its symbol
-- column chain: the chain it was paid out on
-- column withdrawal_count: withdrawals; NULL when the row estimates one payout
-- column payout_amount: what they paid out, in units of the coin
-- column fee: what they cost in the fiat, as far as it is known
-- column cheapest_possible: what they would have cost on the cheapest usable route of their moment
-- column avoidable: what they cost more than that
-- column is_estimate: whether the fee is anything else than the recorded fees of all withdrawals
-- column not_compared: withdrawals of which it is not known what was possible
SELECT
    month,
    coin_id,
    coin,
    chain,
    withdrawal_count,
    payout_amount,
    fee,
    cheapest_possible,
    avoidable,
    is_estimate,
    withdrawal_count - compared_count AS not_compared
FROM withdrawal_cost_in('EUR')
WHERE month = (date_trunc('month', now() AT TIME ZONE 'UTC') - INTERVAL 1 MONTH)::DATE
ORDER BY avoidable DESC NULLS LAST, fee DESC NULLS LAST, coin_id, chain;
