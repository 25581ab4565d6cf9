-- question: Which pairs does CCPayment refuse to quote now, since when, and does the coin list agree?
-- grain: one row per pair that is refused now
-- key: coin_id, chain
-- consumers: treasury, operations
-- edit: nothing
-- column coin_id: CCPayment's id of the coin
-- column coin: its symbol
-- column chain: the chain
-- column refusal_code: the API's code, e.g. 13004
-- column refused_since: when this refusal was first answered without a break
-- column can_withdraw: whether the coin list says that withdrawals are open: if so, they contradict each other
SELECT n.coin_id, n.coin, n.chain, n.refusal_code, h.valid_from AS refused_since, n.can_withdraw
FROM withdraw_fee_now AS n
LEFT JOIN withdraw_fee_history AS h
    ON h.coin_id = n.coin_id AND h.chain = n.chain AND h.state = 'refused' AND h.valid_to IS NULL
WHERE n.state = 'refused'
ORDER BY n.can_withdraw DESC NULLS LAST, n.coin, n.coin_id, n.chain;
