-- view: coin_network_history
-- grain: one row per coin, chain and stretch of time with the same entry in the token list; an unknown stretch ends one row and the next answer begins another
-- key: coin_id, chain, valid_from
-- consumers: analysts
-- example: SELECT valid_from, valid_to, can_withdraw, min_withdraw_amount FROM coin_network_history WHERE coin = 'USDT' AND chain = 'TRX' ORDER BY valid_from
-- column coin_id: CCPayment's id of the coin
-- column coin: symbol of the coin
-- column chain: symbol of the chain
-- column contract: the token's contract address on this chain; empty for a native coin
-- column precision: decimals of the coin on this chain
-- column can_deposit: whether deposits were open
-- column can_withdraw: whether withdrawals were open
-- column min_deposit_amount: smallest deposit, in units of the coin
-- column min_withdraw_amount: smallest withdrawal, in units of the coin
-- column max_withdraw_amount: largest withdrawal, in units of the coin; NULL when there was no limit (the API says "0")
-- column needs_memo: whether a memo or tag was needed
-- column valid_from: when this entry was first received
-- column valid_to: when the next list said something else, no longer named it, or did not come; NULL while it is still so
-- column poll_id: the poll in which it was first received
CREATE OR REPLACE VIEW coin_network_history AS
SELECT
    e.coin_id,
    coin.coin,
    e.chain,
    s.contract,
    s."precision",
    s.can_deposit,
    s.can_withdraw,
    s.min_deposit_amount,
    s.min_withdraw_amount,
    nullif(s.max_withdraw_amount, 0) AS max_withdraw_amount,
    s.needs_memo,
    s.valid_from,
    s.valid_to,
    s.poll_id
FROM store.coin_network_span AS s
JOIN store.coin_network_entity AS e USING (entity_id)
LEFT JOIN coin USING (coin_id)
WHERE s.unknown_reason IS NULL AND s.state = 'ok';
