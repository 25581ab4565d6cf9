-- macro: withdraw_fee_as_of(ts)
-- grain: a table macro: one row per pair, as the last fee poll at or before a moment left it: what was known then. Nothing is back-dated, so a poll that failed or was skipped leaves every pair unknown
-- key: coin_id, chain
-- consumers: analysts
-- example: SELECT coin, chain, state, fee_amount, fee_coin, observed_at FROM withdraw_fee_as_of(now() - INTERVAL 24 HOUR)
-- column poll_id: the last fee poll whose last answer was received by then
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
-- The one poll is aggregated, not looked up by its id: a join of one row with two inequalities
-- becomes filters on the stored stretches, which skip all but those around that poll.
CREATE OR REPLACE MACRO withdraw_fee_as_of(ts) AS TABLE
WITH last_poll AS (
    SELECT
        arg_max(poll_id, poll_no) AS poll_id,
        arg_max(observed_at, poll_no) AS observed_at,
        arg_max(snapshot_no, poll_no) AS snapshot_no,
        arg_max(store.silence_reason(outcome, error_code, error_name), poll_no) AS silence_reason,
        arg_max(outcome, poll_no) AS outcome
    FROM store.ledger
    WHERE feed = 'fees' AND observed_at <= ts::TIMESTAMPTZ
),

shown AS (
    SELECT
        p.poll_id,
        p.observed_at,
        s.* EXCLUDE (poll_id, unknown_reason),
        CASE WHEN p.outcome IN ('ok', 'partial') THEN s.unknown_reason ELSE p.silence_reason END AS unknown_reason
    FROM last_poll AS p
    JOIN store.withdraw_fee_span AS s ON s.from_no <= p.snapshot_no AND s.to_no > p.snapshot_no
    WHERE s.state <> 'absent' OR (s.unknown_reason IS NOT NULL AND p.outcome IN ('ok', 'partial'))
)

SELECT
    s.poll_id,
    s.observed_at,
    e.coin_id,
    coin.coin,
    e.chain,
    CASE WHEN s.unknown_reason IS NULL THEN s.state ELSE 'unknown' END AS state,
    CASE WHEN s.unknown_reason IS NULL THEN s.refusal_code END AS refusal_code,
    s.unknown_reason,
    CASE WHEN s.unknown_reason IS NULL THEN s.fee_amount END AS fee_amount,
    CASE WHEN s.unknown_reason IS NULL THEN s.fee_coin_id END AS fee_coin_id,
    CASE WHEN s.unknown_reason IS NULL THEN s.fee_coin END AS fee_coin
FROM shown AS s
JOIN store.withdraw_fee_entity AS e USING (entity_id)
LEFT JOIN coin USING (coin_id);
