-- macro: fiat_rate_as_of(ts)
-- grain: a table macro: one row per fiat that was listed, readable or not, as the last poll of the rates at or before a moment left it: what was known then
-- key: fiat_id
-- consumers: analysts
-- example: SELECT fiat, usd_rate, observed_at FROM fiat_rate_as_of(now() - INTERVAL 24 HOUR) WHERE fiat = 'EUR'
-- column poll_id: the last poll of the rates whose answer was received by then
-- column observed_at: when its answer was received
-- column fiat_id: CCPayment's id of the fiat
-- column fiat: symbol of the fiat, also of one whose rate is unknown
-- column usd_rate: units of the fiat per 1 US dollar, exact as answered; NULL when unknown
-- column unknown_reason: why there is no rate; NULL when there is one
CREATE OR REPLACE MACRO fiat_rate_as_of(ts) AS TABLE
WITH last_poll AS (
    SELECT
        arg_max(poll_id, poll_no) AS poll_id,
        arg_max(observed_at, poll_no) AS observed_at,
        arg_max(snapshot_no, poll_no) AS snapshot_no,
        arg_max(store.silence_reason(outcome, error_code, error_name), poll_no) AS silence_reason,
        arg_max(outcome, poll_no) AS outcome
    FROM store.ledger
    WHERE feed = 'fiats' AND observed_at <= ts::TIMESTAMPTZ
),

shown AS (
    SELECT
        p.poll_id,
        p.observed_at,
        s.entity_id,
        s.fiat,
        s.usd_rate,
        CASE WHEN p.outcome IN ('ok', 'partial') THEN s.unknown_reason ELSE p.silence_reason END AS unknown_reason
    FROM last_poll AS p
    JOIN store.fiat_span AS s ON s.from_no <= p.snapshot_no AND s.to_no > p.snapshot_no
    WHERE s.state <> 'absent' OR (s.unknown_reason IS NOT NULL AND p.outcome IN ('ok', 'partial'))
)

SELECT
    s.poll_id,
    s.observed_at,
    e.fiat_id,
    coalesce(s.fiat, n.fiat) AS fiat,
    CASE WHEN s.unknown_reason IS NULL THEN s.usd_rate END AS usd_rate,
    s.unknown_reason
FROM shown AS s
JOIN store.fiat_entity AS e USING (entity_id)
LEFT JOIN fiat AS n USING (fiat_id);
