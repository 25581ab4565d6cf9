-- view: withdraw_fee_snapshot
-- grain: one row per pair and fee poll, failed and skipped polls included: the full snapshot, exact row for row
-- key: poll_id, coin_id, chain
-- consumers: analysts; name a poll_id, or a narrow range, in the WHERE clause
-- example: SELECT chain, state, fee_amount, fee_coin FROM withdraw_fee_snapshot WHERE poll_id = (SELECT max(poll_id) FROM withdraw_fee_now) AND coin = 'USDT'
-- column poll_id: the poll: microseconds since the epoch at its start
-- column observed_at: when its last answer was received
-- column coin_id: CCPayment's id of the coin that is paid out
-- column coin: its symbol
-- column chain: the chain it is paid out on
-- column state: ok, refused or unknown
-- column refusal_code: the API's code when refused
-- column unknown_reason: why there is no answer when unknown, never NULL then: the pair's own reason, else the poll's error, else no_answer
-- column fee_amount: network fee in units of the fee coin, exact as answered
-- column fee_coin_id: id of the coin in which the fee is charged
-- column fee_coin: symbol of that coin
CREATE OR REPLACE VIEW withdraw_fee_snapshot AS
WITH asked AS (
    SELECT
        p.poll_id,
        p.observed_at,
        e.entity_id,
        e.coin_id,
        e.chain,
        store.silence_reason(p.outcome, p.error_code, p.error_name) AS failure
    FROM store.poll AS p
    JOIN store.withdraw_fee_entity AS e ON e.first_poll_id <= p.poll_id
    WHERE p.feed = 'fees'
),

gap AS (
    SELECT poll_id, reason, unnest(entity_ids) AS entity_id
    FROM store.poll_gap
    WHERE dataset = 'withdraw_fee'
),

answered AS (
    SELECT
        a.*,
        coalesce(g.reason, a.failure) AS unknown_reason,
        o.state AS last_state,
        o.refusal_code,
        o.fee_amount,
        o.fee_coin_id,
        o.fee_coin
    FROM asked AS a
    ASOF LEFT JOIN store.withdraw_fee_observation AS o
        ON o.entity_id = a.entity_id AND o.poll_id <= a.poll_id
    LEFT JOIN gap AS g ON g.poll_id = a.poll_id AND g.entity_id = a.entity_id
    -- What no longer exists, or was never answered before a poll without answers, is no row of that poll.
    WHERE g.reason IS NOT NULL OR (o.state IS NOT NULL AND o.state <> 'absent')
)

SELECT
    a.poll_id,
    a.observed_at,
    a.coin_id,
    coin.coin,
    a.chain,
    CASE WHEN a.unknown_reason IS NULL THEN a.last_state ELSE 'unknown' END AS state,
    CASE WHEN a.unknown_reason IS NULL THEN a.refusal_code END AS refusal_code,
    a.unknown_reason,
    CASE WHEN a.unknown_reason IS NULL THEN a.fee_amount END AS fee_amount,
    CASE WHEN a.unknown_reason IS NULL THEN a.fee_coin_id END AS fee_coin_id,
    CASE WHEN a.unknown_reason IS NULL THEN a.fee_coin END AS fee_coin
FROM answered AS a
LEFT JOIN coin USING (coin_id);
