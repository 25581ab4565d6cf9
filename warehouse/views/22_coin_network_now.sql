-- view: coin_network_now
-- grain: one row per coin and chain that the coin lives on, as the merchant's token list has it
-- key: coin_id, chain
-- consumers: analysts, withdraw_fee_now, payout_route_ranking
-- example: SELECT chain, can_withdraw, min_withdraw_amount FROM coin_network_now WHERE coin = 'USDT'
-- column coin_id: CCPayment's id of the coin
-- column coin: symbol of the coin
-- column chain: symbol of the chain
-- column contract: the token's contract address on this chain; empty for a native coin
-- column precision: decimals of the coin on this chain
-- column can_deposit: whether deposits are open
-- column can_withdraw: whether withdrawals are open
-- column min_deposit_amount: smallest deposit, in units of the coin
-- column min_withdraw_amount: smallest withdrawal, in units of the coin
-- column max_withdraw_amount: largest withdrawal, in units of the coin; NULL when there is no limit (the API says "0")
-- column needs_memo: whether a memo or tag is needed
-- column observed_at: when this was last answered
-- column data_age_s: seconds since then
-- column is_stale: whether that is more than three cadences
CREATE OR REPLACE VIEW coin_network_now AS
SELECT
    e.coin_id,
    n.coin,
    e.chain,
    c.contract,
    c."precision",
    c.can_deposit,
    c.can_withdraw,
    c.min_deposit_amount,
    c.min_withdraw_amount,
    nullif(c.max_withdraw_amount, 0) AS max_withdraw_amount,
    c.needs_memo,
    c.answered_at AS observed_at,
    store.data_age_s(c.answered_at) AS data_age_s,
    store.is_stale('networks', c.answered_at) AS is_stale
FROM store.coin_network_entity AS e
JOIN store.coin_network_current AS c USING (entity_id)
LEFT JOIN coin AS n USING (coin_id)
WHERE c.state = 'ok';
