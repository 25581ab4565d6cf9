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
-- The names first, so that a filter on a pair is applied before its stretches meet the polls.
WITH stretch AS (
    SELECT s.* EXCLUDE (poll_id), e.coin_id, coin.coin, e.chain
    FROM store.withdraw_fee_span AS s
    JOIN store.withdraw_fee_entity AS e USING (entity_id)
    LEFT JOIN coin USING (coin_id)
),

shown AS (
    SELECT
        p.poll_id,
        p.observed_at,
        s.* EXCLUDE (unknown_reason),
        coalesce(store.silence_reason(p.outcome, p.error_code, p.error_name), s.unknown_reason) AS unknown_reason
    FROM store.ledger AS p
    JOIN stretch AS s ON s.from_no <= p.snapshot_no AND s.to_no > p.snapshot_no
    WHERE p.feed = 'fees'
        -- What no longer exists is no row, nor is, in a poll without answers, what was never answered.
        AND (s.state <> 'absent' OR (s.unknown_reason IS NOT NULL AND p.outcome IN ('ok', 'partial')))
)

SELECT
    poll_id,
    observed_at,
    coin_id,
    coin,
    chain,
    CASE WHEN unknown_reason IS NULL THEN state ELSE 'unknown' END AS state,
    CASE WHEN unknown_reason IS NULL THEN refusal_code END AS refusal_code,
    unknown_reason,
    CASE WHEN unknown_reason IS NULL THEN fee_amount END AS fee_amount,
    CASE WHEN unknown_reason IS NULL THEN fee_coin_id END AS fee_coin_id,
    CASE WHEN unknown_reason IS NULL THEN fee_coin END AS fee_coin
FROM shown;
