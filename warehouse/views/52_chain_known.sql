-- inner: store.chain_known
-- grain: one row per chain and stretch of time in which its status is known
-- key: chain, known_from
-- consumers: maintenance_episode, chain_availability_daily, the board
-- example: SELECT chain, status, known_from, known_to FROM store.chain_known
-- Known is the time between two polls that are at most three cadences apart, when the first of them
-- has an answer. Time in which nothing polled is as unknown as an outage, and so is the time after
-- the last poll.
CREATE OR REPLACE VIEW store.chain_known AS
WITH attempt AS (
    SELECT
        observed_at,
        observed_at - lag(observed_at) OVER polled
            <= to_seconds(3 * greatest(cadence_s, lag(cadence_s) OVER polled)) AS is_next
    FROM store.ledger
    WHERE feed = 'chains'
    WINDOW polled AS (ORDER BY observed_at)
),

watched AS (
    SELECT min(observed_at) AS began_at, max(observed_at) AS ended_at
    FROM (SELECT *, count(*) FILTER (WHERE is_next IS NOT true) OVER (ORDER BY observed_at) AS number FROM attempt)
    GROUP BY number
),

-- Polls that overlap may be stored in another order than they were answered in: no time counts twice.
ordered AS (
    SELECT
        chain,
        status,
        first_poll_id,
        max(valid_from) OVER (PARTITION BY chain ORDER BY first_poll_id) AS run_from
    FROM main.chain_status_history
),

run AS (
    SELECT *, lead(run_from) OVER (PARTITION BY chain ORDER BY first_poll_id) AS run_to
    FROM ordered
)

SELECT
    r.chain,
    r.status,
    greatest(r.run_from, w.began_at) AS known_from,
    CASE WHEN r.run_to < w.ended_at THEN r.run_to ELSE w.ended_at END AS known_to
FROM run AS r
JOIN watched AS w ON w.ended_at > r.run_from AND w.began_at < coalesce(r.run_to, 'infinity'::TIMESTAMPTZ)
WHERE r.status <> 'unknown' AND r.run_from IS DISTINCT FROM r.run_to;
