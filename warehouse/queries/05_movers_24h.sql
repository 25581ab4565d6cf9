-- question: Which fees have moved most in 24 hours?
-- grain: one row per pair whose fee is known now and was another one a day ago, in the same fee coin
-- key: coin_id, chain
-- consumers: treasury, operations
-- edit: the hours, and how many rows to show
-- column coin_id: CCPayment's id of the coin
-- column coin: its symbol
-- column chain: the chain
-- column fee_coin: the coin that the fee is charged in
-- column fee_then: the fee a day ago, in units of the fee coin
-- column fee_now: the fee now
-- column change_pct: how much it moved, in percent; NULL when it was free before
-- column fee_usd: what it costs in US dollars now
SELECT
    n.coin_id,
    n.coin,
    n.chain,
    n.fee_coin,
    h.fee_amount AS fee_then,
    n.fee_amount AS fee_now,
    round(100 * (n.fee_amount::DOUBLE / nullif(h.fee_amount, 0)::DOUBLE - 1), 2) AS change_pct,
    n.fee_usd
FROM withdraw_fee_now AS n
JOIN withdraw_fee_history AS h ON h.coin_id = n.coin_id AND h.chain = n.chain AND h.fee_coin_id = n.fee_coin_id
WHERE n.state = 'ok'
    AND h.valid_from <= now() - INTERVAL 24 HOUR
    AND (h.valid_to IS NULL OR h.valid_to > now() - INTERVAL 24 HOUR)
    AND h.fee_amount <> n.fee_amount
ORDER BY abs(change_pct) DESC NULLS FIRST, n.coin_id, n.chain
LIMIT 20;
