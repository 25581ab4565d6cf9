-- macro: chain_status_as_of(ts)
-- grain: a table macro: one row per chain that had been listed, readable or not, as the last poll of the watch at or before a moment left it: what was known then
-- key: chain
-- consumers: operations, alert messages
-- example: SELECT chain, status, unknown_reason, observed_at FROM chain_status_as_of(now() - INTERVAL 24 HOUR)
-- column poll_id: the last chain poll whose answer was received by then
-- column observed_at: when its answer was received
-- column chain: symbol of the chain
-- column status: normal, maintenance, unknown or absent (no longer listed); unknown when that poll has no answer
-- column status_raw: the API's own word; NULL when there is none
-- column unknown_reason: why the status is unknown; NULL when it is known
CREATE OR REPLACE MACRO chain_status_as_of(ts) AS TABLE
WITH last_poll AS (
    SELECT
        arg_max(poll_id, poll_no) AS poll_id,
        arg_max(observed_at, poll_no) AS observed_at,
        arg_max(snapshot_no, poll_no) AS snapshot_no,
        arg_max(store.silence_reason(outcome, error_code, error_name), poll_no) AS silence_reason,
        arg_max(outcome, poll_no) AS outcome
    FROM store.ledger
    WHERE feed = 'chains' AND observed_at <= ts::TIMESTAMPTZ
),

shown AS (
    SELECT
        p.poll_id,
        p.observed_at,
        s.entity_id,
        s.state,
        s.status_raw,
        p.outcome IN ('ok', 'partial') AND s.unknown_reason IS NULL AS is_answered,
        CASE WHEN p.outcome IN ('ok', 'partial') THEN s.unknown_reason ELSE p.silence_reason END AS unknown_reason
    FROM last_poll AS p
    JOIN store.chain_span AS s ON s.from_no <= p.snapshot_no AND s.to_no > p.snapshot_no
)

SELECT
    s.poll_id,
    s.observed_at,
    e.chain,
    CASE WHEN s.is_answered THEN s.state ELSE 'unknown' END AS status,
    CASE WHEN s.is_answered THEN s.status_raw END AS status_raw,
    coalesce(s.unknown_reason, CASE WHEN s.state = 'unknown' THEN 'unrecognised:' || s.status_raw END) AS unknown_reason
FROM shown AS s
JOIN store.chain_entity AS e USING (entity_id);
