-- view: withdraw_fee_now
-- grain: one row per (coin, chain) pair that exists now
-- key: coin_id, chain
-- consumers: analysts, ccpay route, the board
-- example: SELECT chain, fee_amount, fee_coin, fee_usd FROM withdraw_fee_now WHERE coin = 'USDT' ORDER BY fee_usd
-- column coin_id: CCPayment's id of the coin that is paid out
-- column coin: its symbol
-- column chain: the chain it is paid out on
-- column state: ok, refused (the API answered with a refusal) or unknown (no answer in the last poll, which may have failed or been skipped; nothing is carried over)
-- column refusal_code: the API's code when refused
-- column unknown_reason: why there is no answer when unknown, never NULL then: the pair's own reason, else the poll's error, else no_answer
-- column fee_amount: network fee, in units of the fee coin, exact as answered; NULL unless ok
-- column fee_coin_id: id of the coin in which the fee is charged (USDT on POLYGON is charged in MATIC)
-- column fee_coin: symbol of that coin
-- column fee_usd: fee_amount x the fee coin's price now, exact, rounded to 12 places; NULL with a reason
-- column fee_usd_reason: why fee_usd is NULL: no_fee, no_price, stale_price (coin_price_now says that the price is too old) or too_large
-- column price_age_s: age of the fee coin's price, also of a stale one
-- column min_withdraw_amount: smallest withdrawal, in units of the coin
-- column max_withdraw_amount: largest withdrawal, in units of the coin; NULL when there is no limit
-- column can_withdraw: whether the token list says that withdrawals are open
-- column route_state: usable, blocked:<why> or unknown:<why>; the first that holds of blocked:maintenance, blocked:chain_absent, blocked:can_withdraw_false, blocked:<refusal_code>, unknown:<unknown_reason>, unknown:<unknown_reason of the chain>
-- column fee_amount_24h_ago: the fee as it was known 24 hours before the poll of this row; NULL when it was not, and when it was charged in another coin
-- column fee_amount_change_24h_pct: by how many percent the fee has moved since; NULL too when it was free
-- column poll_id: the fee poll that this row comes from
-- column observed_at: when this pair was last answered; NULL if never
-- column data_age_s: seconds since then; NULL if never
-- column is_stale: whether that is more than three cadences, or never
CREATE OR REPLACE VIEW withdraw_fee_now AS
SELECT
    coin_id,
    coin,
    chain,
    state,
    refusal_code,
    unknown_reason,
    fee_amount,
    fee_coin_id,
    fee_coin,
    CASE WHEN now() <= price_stale_from THEN fee_usd_then END AS fee_usd,
    CASE
        WHEN state <> 'ok' THEN 'no_fee'
        WHEN priced_at IS NULL THEN 'no_price'
        WHEN coalesce(now() > price_stale_from, true) THEN 'stale_price'
        WHEN fee_usd_then IS NULL THEN 'too_large'
    END AS fee_usd_reason,
    store.data_age_s(priced_at) AS price_age_s,
    min_withdraw_amount,
    max_withdraw_amount,
    can_withdraw,
    route_state,
    fee_amount_24h_ago,
    fee_amount_change_24h_pct,
    poll_id,
    observed_at,
    store.data_age_s(observed_at) AS data_age_s,
    coalesce(now() > stale_from, true) AS is_stale
FROM store.withdraw_fee_ready;
