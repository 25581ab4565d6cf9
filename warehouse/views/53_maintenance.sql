-- inner: store.maintenance
-- grain: one row per maintenance of a chain, unknown runs inside of it included
-- key: maintenance_id
-- consumers: maintenance_episode, chain_availability_daily
-- example: SELECT maintenance_id, started_by, ended_by FROM store.maintenance
-- Unknown says nothing, so it neither begins nor ends a maintenance. Any other answer ends it, also
-- that the chain is no longer listed.
CREATE OR REPLACE VIEW store.maintenance AS
WITH answer AS (
    SELECT
        h.chain,
        h.status = 'maintenance' AS is_down,
        h.valid_from,
        h.first_poll_id,
        l.observed_at AS last_at,
        coalesce(h.valid_to, 'infinity'::TIMESTAMPTZ) AS held_to
    FROM main.chain_status_history AS h
    JOIN store.ledger AS l ON l.poll_id = h.last_poll_id
    WHERE h.status <> 'unknown'
),

run AS (
    SELECT
        chain,
        any_value(is_down) AS is_down,
        min(first_poll_id) AS first_poll_id,
        min(valid_from) AS first_at,
        max(last_at) AS last_at,
        max(held_to) AS held_to
    FROM (
        SELECT *, count(*) FILTER (WHERE turns) OVER (PARTITION BY chain ORDER BY first_poll_id) AS number
        FROM (
            SELECT *, is_down IS DISTINCT FROM lag(is_down) OVER (PARTITION BY chain ORDER BY first_poll_id) AS turns
            FROM answer
        )
    )
    GROUP BY chain, number
),

-- What is new in the list was not there in the good poll before the one that first named it.
unlisted AS (
    SELECT c.chain, p.observed_at
    FROM (SELECT chain, min(first_poll_id) AS first_poll_id FROM main.chain_status_history GROUP BY chain) AS c
    ASOF JOIN (FROM store.ledger WHERE feed = 'chains' AND outcome IN ('ok', 'partial')) AS p
        ON c.first_poll_id > p.poll_id
),

placed AS (
    SELECT
        *,
        lag(last_at) OVER (PARTITION BY chain ORDER BY first_poll_id) AS before_at,
        lead(first_at) OVER (PARTITION BY chain ORDER BY first_poll_id) AS next_at
    FROM run
)

SELECT
    p.chain || '-' || p.first_poll_id AS maintenance_id,
    p.chain,
    coalesce(p.before_at, u.observed_at) AS started_after,
    p.first_at AS started_by,
    p.last_at AS ended_after,
    p.next_at AS ended_by,
    -- As the statuses date it: from the first poll that says so to the first that does not.
    CASE WHEN p.next_at IS NOT NULL THEN epoch(p.held_to) - epoch(p.first_at) END AS held_s
FROM placed AS p
LEFT JOIN unlisted AS u USING (chain)
WHERE p.is_down;
