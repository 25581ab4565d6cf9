-- view: chain_status_now
-- grain: one row per chain that was ever listed
-- key: chain
-- consumers: operations, alert messages, the board
-- example: SELECT chain, status, started_after, started_by FROM chain_status_now WHERE status <> 'normal'
-- column chain: symbol of the chain
-- column chain_full_name: full name of the chain
-- column status: normal, maintenance, unknown or absent (no longer listed); unknown when the last poll has no answer. During an API outage ask last_known_status
-- column status_raw: the API's own word; NULL when there is none
-- column started_after: the status began after this moment (NULL: it was so when monitoring began)
-- column started_by: and at the latest at this moment
-- column last_known_status: the last status that was really answered: normal, maintenance or absent
-- column last_known_status_since: when that status was first seen
-- column unknown_reason: why the status is unknown; NULL when it is known
-- column needs_memo: whether addresses on this chain need a memo or tag
-- column is_watched: whether alerts treat the chain as watched: named in ccpay.toml, or carrying a watched coin; with nothing named, every chain that carries one of the merchant's coins
-- column observed_at: when the last answer about this chain was received
-- column data_age_s: seconds since then
-- column is_stale: whether that is more than three intervals of the watch
CREATE OR REPLACE VIEW chain_status_now AS
WITH last_poll AS (
    SELECT poll_id, outcome, started_at, observed_at, coalesce(error_code || ' ', '') || error_name AS reason
    FROM store.poll
    WHERE feed = 'chains'
    ORDER BY poll_id DESC
    LIMIT 1
),

last_good AS (
    SELECT poll_id, observed_at
    FROM store.poll
    WHERE feed = 'chains' AND outcome IN ('ok', 'partial')
    ORDER BY poll_id DESC
    LIMIT 1
),

-- The answer before an unrecognised word, which is no status.
recognised AS (
    SELECT o.entity_id, arg_max(o.state, o.poll_id) AS state, max(o.poll_id) AS poll_id
    FROM store.chain_observation AS o
    WHERE o.state <> 'unknown'
    GROUP BY o.entity_id
),

now_state AS (
    SELECT
        e.entity_id,
        e.chain,
        c.*,
        g.reason AS gap_reason,
        CASE
            WHEN p.outcome NOT IN ('ok', 'partial') THEN p.reason
            WHEN g.reason IS NOT NULL THEN g.reason
            WHEN c.state = 'unknown' THEN 'unrecognised:' || c.status_raw
        END AS unknown_reason
    FROM store.chain_entity AS e
    JOIN store.chain_current AS c USING (entity_id)
    CROSS JOIN last_poll AS p
    LEFT JOIN (
        SELECT unnest(entity_ids) AS entity_id, reason
        FROM store.poll_gap
        WHERE dataset = 'chain' AND poll_id = (SELECT poll_id FROM last_poll)
    ) AS g USING (entity_id)
)

SELECT
    n.chain,
    n.chain_full_name,
    CASE WHEN n.unknown_reason IS NULL THEN n.state ELSE 'unknown' END AS status,
    CASE WHEN n.unknown_reason IS NULL OR n.unknown_reason LIKE 'unrecognised:%' THEN n.status_raw END AS status_raw,
    CASE WHEN n.unknown_reason IS NULL OR n.unknown_reason LIKE 'unrecognised:%' THEN n.changed_after ELSE n.answered_at END
        AS started_after,
    CASE WHEN n.unknown_reason IS NULL OR n.unknown_reason LIKE 'unrecognised:%' THEN n.changed_by ELSE s.since END
        AS started_by,
    r.state AS last_known_status,
    make_timestamptz(r.poll_id) AS last_known_status_since,
    n.unknown_reason,
    n.needs_memo,
    store.is_watched_chain(n.chain) AS is_watched,
    CASE WHEN n.state = 'absent' THEN lg.observed_at ELSE n.answered_at END AS observed_at,
    store.data_age_s(CASE WHEN n.state = 'absent' THEN lg.observed_at ELSE n.answered_at END) AS data_age_s,
    store.is_stale('chains', CASE WHEN n.state = 'absent' THEN lg.observed_at ELSE n.answered_at END) AS is_stale
FROM now_state AS n
LEFT JOIN recognised AS r USING (entity_id)
LEFT JOIN last_good AS lg ON true
-- An outage began with the first poll after the last answer.
LEFT JOIN (
    SELECT min(observed_at) AS since
    FROM store.poll
    WHERE feed = 'chains' AND poll_id > (SELECT coalesce(max(poll_id), 0) FROM last_good)
) AS s ON true;
