-- question: Which fees have moved most in 24 hours?
-- grain: one row per pair whose fee is known now and was another one 24 hours before the last fee poll, in the same fee coin
-- key: coin_id, chain
-- consumers: treasury, operations
-- edit: how many rows to show; for another span, join withdraw_fee_as_of(now() - INTERVAL 7 DAY) instead
-- column coin_id: CCPayment's id of the coin
-- column coin: its symbol
-- column chain: the chain
-- column fee_coin: the coin that the fee is charged in
-- column fee_then: the fee 24 hours before, in units of the fee coin
-- column fee_now: the fee now
-- column change_pct: how much it moved, in percent; NULL when it was free before
-- column fee_usd: what it costs in US dollars now
SELECT
    coin_id,
    coin,
    chain,
    fee_coin,
    fee_amount_24h_ago AS fee_then,
    fee_amount AS fee_now,
    round(fee_amount_change_24h_pct, 2) AS change_pct,
    fee_usd
FROM withdraw_fee_now
WHERE fee_amount <> fee_amount_24h_ago
ORDER BY abs(change_pct) DESC NULLS FIRST, coin_id, chain
LIMIT 20;
