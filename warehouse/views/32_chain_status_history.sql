-- view: chain_status_history
-- grain: one row per chain and stretch of polls with the same status and the same raw word; polls that failed or were skipped are a stretch of unknown
-- key: chain, valid_from
-- consumers: operations, alert messages
-- example: SELECT status, valid_from, valid_to, poll_count FROM chain_status_history WHERE chain = 'TRX' ORDER BY valid_from DESC
-- column chain: symbol of the chain
-- column status: normal, maintenance, unknown or absent
-- column status_raw: the API's own word; NULL for absent and during an outage
-- column valid_from: when this was first seen
-- column valid_to: when something else was first seen; NULL while it is still so
-- column first_poll_id: first poll of the stretch
-- column last_poll_id: last poll of the stretch
-- column poll_count: polls in the stretch
-- column unknown_poll_count: those of them without a known status
CREATE OR REPLACE VIEW chain_status_history AS
WITH chain_poll AS (
    SELECT poll_id, observed_at, outcome NOT IN ('ok', 'partial') AS is_silent
    FROM store.poll
    WHERE feed = 'chains'
),

-- Consecutive polls that are alike for every chain: a run without any answer, or a run without a change.
changing AS (
    SELECT DISTINCT poll_id FROM store.chain_observation
    UNION
    SELECT poll_id FROM store.poll_gap WHERE dataset = 'chain'
),

marked AS (
    SELECT
        p.poll_id,
        p.observed_at,
        p.is_silent,
        c.poll_id IS NOT NULL
        OR p.is_silent IS DISTINCT FROM lag(p.is_silent) OVER (ORDER BY p.poll_id)
        OR lag(g.poll_id) OVER (ORDER BY p.poll_id) IS NOT NULL AS begins
    FROM chain_poll AS p
    LEFT JOIN changing AS c USING (poll_id)
    LEFT JOIN (SELECT DISTINCT poll_id FROM store.poll_gap WHERE dataset = 'chain') AS g USING (poll_id)
),

run AS (
    SELECT
        min(poll_id) AS first_poll_id,
        max(poll_id) AS last_poll_id,
        min(observed_at) AS valid_from,
        count(*) AS poll_count,
        any_value(is_silent) AS is_silent
    FROM (SELECT *, count(*) FILTER (WHERE begins) OVER (ORDER BY poll_id) AS number FROM marked)
    GROUP BY number
),

state AS (
    SELECT
        e.entity_id,
        e.chain,
        r.*,
        CASE WHEN r.is_silent OR g.reason IS NOT NULL OR o.state IS NULL THEN 'unknown' ELSE o.state END AS status,
        CASE WHEN NOT r.is_silent AND g.reason IS NULL THEN o.status_raw END AS status_raw
    FROM run AS r
    JOIN store.chain_entity AS e ON e.first_poll_id <= r.first_poll_id
    ASOF LEFT JOIN store.chain_observation AS o
        ON o.entity_id = e.entity_id AND o.poll_id <= r.first_poll_id
    LEFT JOIN (
        SELECT poll_id, reason, unnest(entity_ids) AS entity_id
        FROM store.poll_gap
        WHERE dataset = 'chain'
    ) AS g ON g.poll_id = r.first_poll_id AND g.entity_id = e.entity_id
),

turned AS (
    SELECT
        *,
        status IS DISTINCT FROM lag(status) OVER chain_order
        OR status_raw IS DISTINCT FROM lag(status_raw) OVER chain_order AS turns
    FROM state
    WINDOW chain_order AS (PARTITION BY entity_id ORDER BY first_poll_id)
),

stretch AS (
    SELECT
        entity_id,
        chain,
        any_value(status) AS status,
        any_value(status_raw) AS status_raw,
        min(valid_from) AS valid_from,
        min(first_poll_id) AS first_poll_id,
        max(last_poll_id) AS last_poll_id,
        sum(poll_count)::BIGINT AS poll_count
    FROM (
        SELECT *, count(*) FILTER (WHERE turns) OVER (PARTITION BY entity_id ORDER BY first_poll_id) AS number
        FROM turned
    )
    GROUP BY entity_id, chain, number
)

SELECT
    chain,
    status,
    status_raw,
    valid_from,
    lead(valid_from) OVER (PARTITION BY entity_id ORDER BY first_poll_id) AS valid_to,
    first_poll_id,
    last_poll_id,
    poll_count,
    CASE WHEN status = 'unknown' THEN poll_count ELSE 0 END AS unknown_poll_count
FROM stretch;
