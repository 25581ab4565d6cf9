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
-- column route_state: usable, blocked:<why> or unknown:<why>, from chain status, can_withdraw and the quote together
-- column poll_id: the fee poll that this row comes from
-- column observed_at: when this pair was last answered; NULL if never
-- column data_age_s: seconds since then
-- column is_stale: whether that is more than three cadences, or never
CREATE OR REPLACE VIEW withdraw_fee_now AS
WITH pair AS (
    SELECT
        e.coin_id,
        e.chain,
        d.last_poll_id AS poll_id,
        c.refusal_code,
        c.fee_amount,
        c.fee_coin_id,
        c.fee_coin,
        c.answered_at,
        CASE WHEN d.silent_no IS NULL THEN c.unknown_reason ELSE d.silent_reason END AS unknown_reason,
        CASE WHEN d.silent_no IS NULL AND c.unknown_reason IS NULL THEN c.state ELSE 'unknown' END AS state
    FROM store.withdraw_fee_entity AS e
    JOIN store.withdraw_fee_current AS c USING (entity_id)
    JOIN store.dataset_now AS d ON d.dataset = 'withdraw_fee'
    -- What no longer exists is no pair; nor is, in a poll without answers, what was never answered.
    WHERE c.state <> 'absent' OR (d.silent_no IS NULL AND c.unknown_reason IS NOT NULL)
),

valued AS (
    SELECT
        p.* EXCLUDE (refusal_code, fee_amount, fee_coin_id, fee_coin),
        CASE WHEN p.state = 'refused' THEN p.refusal_code END AS refusal_code,
        CASE WHEN p.state = 'ok' THEN p.fee_amount END AS fee_amount,
        CASE WHEN p.state = 'ok' THEN p.fee_coin_id END AS fee_coin_id,
        CASE WHEN p.state = 'ok' THEN p.fee_coin END AS fee_coin,
        CASE
            WHEN p.state = 'ok' AND NOT price.is_stale THEN store.exact_product(p.fee_amount, price.price_usd)
        END AS fee_usd,
        price.is_stale AS is_stale_price,
        CASE WHEN p.state = 'ok' THEN price.price_usd END AS price_usd,
        CASE WHEN p.state = 'ok' THEN price.data_age_s END AS price_age_s
    FROM pair AS p
    LEFT JOIN coin_price_now AS price ON price.coin_id = p.fee_coin_id
)

SELECT
    v.coin_id,
    coin.coin,
    v.chain,
    v.state,
    v.refusal_code,
    v.unknown_reason,
    v.fee_amount,
    v.fee_coin_id,
    v.fee_coin,
    v.fee_usd,
    CASE
        WHEN v.fee_usd IS NOT NULL THEN NULL
        WHEN v.state <> 'ok' THEN 'no_fee'
        WHEN v.price_usd IS NULL THEN 'no_price'
        WHEN v.is_stale_price THEN 'stale_price'
        ELSE 'too_large'
    END AS fee_usd_reason,
    v.price_age_s,
    n.min_withdraw_amount,
    n.max_withdraw_amount,
    n.can_withdraw,
    CASE
        WHEN s.status = 'maintenance' THEN 'blocked:maintenance'
        WHEN s.status = 'absent' THEN 'blocked:chain_absent'
        WHEN n.can_withdraw = false THEN 'blocked:can_withdraw_false'
        WHEN v.state = 'refused' THEN 'blocked:' || v.refusal_code
        WHEN v.state = 'unknown' THEN 'unknown:' || v.unknown_reason
        WHEN s.status = 'unknown' THEN 'unknown:' || s.unknown_reason
        ELSE 'usable'
    END AS route_state,
    v.poll_id,
    v.answered_at AS observed_at,
    store.data_age_s(v.answered_at) AS data_age_s,
    coalesce(store.is_stale('fees', v.answered_at), true) AS is_stale
FROM valued AS v
LEFT JOIN coin USING (coin_id)
LEFT JOIN coin_network_now AS n ON n.coin_id = v.coin_id AND n.chain = v.chain
LEFT JOIN chain_status_now AS s ON s.chain = v.chain;
