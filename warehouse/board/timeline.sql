-- question: What was the status of each chain over the last 7 days? Time that no row covers was not polled.
-- grain: one row per chain and stretch of time with the same status
-- key: chain, since
-- consumers: the board
WITH stretch AS (
    SELECT chain, status, known_from AS since, known_to AS until FROM store.chain_known
    UNION ALL
    SELECT
        chain,
        status,
        valid_from,
        -- What still goes on was last seen by the last poll of it.
        coalesce(valid_to, make_timestamptz(last_poll_id))
    FROM chain_status_history
    WHERE status = 'unknown'
)

SELECT
    chain,
    status,
    greatest(since, $now - 7 * INTERVAL 24 HOUR) AS since,
    coalesce(until, $now) AS until
FROM stretch
WHERE coalesce(until, $now) > $now - 7 * INTERVAL 24 HOUR
ORDER BY chain, since
