-- view: chain_status_now
-- grain: one row per chain that was ever listed
-- key: chain
-- consumers: operations, alert messages, the board
-- example: SELECT chain, status, started_after, started_by FROM chain_status_now WHERE status <> 'normal'
-- column chain: symbol of the chain
-- column chain_full_name: full name of the chain
-- column status: normal, maintenance, unknown or absent (no longer listed); unknown when the last poll has no answer. During an API outage ask last_known_status
-- column status_raw: the API's own word; NULL when there is none
-- column started_after: the status began after this moment, the last at which it was another one; other properties of the chain do not move it (NULL: it was so when monitoring began)
-- column started_by: and at the latest at this moment: the first poll with this status; for unknown, the first poll without an answer
-- column last_known_status: the last status that was really answered: normal, maintenance or absent
-- column last_known_status_since: start of the first poll of the last run of polls with that status
-- column unknown_reason: why the status is unknown; NULL when it is known
-- column needs_memo: whether addresses on this chain need a memo or tag
-- column is_watched: whether alerts treat the chain as watched: named in ccpay.toml, or carrying a watched coin; with nothing named, every chain that carries one of the merchant's coins
-- column observed_at: when the last answer about this chain was received
-- column data_age_s: seconds since then
-- column is_stale: whether that is more than three intervals of the watch
CREATE OR REPLACE VIEW chain_status_now AS
WITH chain_poll AS (
    SELECT
        poll_id,
        observed_at,
        outcome IN ('ok', 'partial') AS is_good,
        store.silence_reason(outcome, error_code, error_name) AS reason
    FROM store.poll
    WHERE feed = 'chains'
),

last_poll AS (
    SELECT poll_id, reason FROM chain_poll ORDER BY poll_id DESC LIMIT 1
),

gap AS (
    SELECT poll_id, reason, unnest(entity_ids) AS entity_id
    FROM store.poll_gap
    WHERE dataset = 'chain'
),

-- The last run of equal states that is a status: an unrecognised word is none.
run AS (
    SELECT
        entity_id,
        poll_id,
        state,
        state IS DISTINCT FROM lag(state) OVER (PARTITION BY entity_id ORDER BY poll_id) AS begins
    FROM store.chain_observation
),

recognised AS (
    SELECT entity_id, arg_max(state, poll_id) AS state, max(poll_id) AS poll_id
    FROM run
    WHERE begins AND state <> 'unknown'
    GROUP BY entity_id
),

-- When the current row was last confirmed. An absence is confirmed by every good poll that does
-- not name the chain, not even as unreadable.
confirmed AS (
    SELECT entity_id, answered_at AS confirmed_at
    FROM store.chain_current
    WHERE state <> 'absent'
    UNION ALL
    SELECT c.entity_id, max(p.observed_at) AS confirmed_at
    FROM store.chain_current AS c
    JOIN chain_poll AS p ON p.poll_id >= c.changed_poll_id
    LEFT JOIN gap AS g ON g.poll_id = p.poll_id AND g.entity_id = c.entity_id
    WHERE c.state = 'absent' AND p.is_good AND g.poll_id IS NULL
    GROUP BY c.entity_id
),

now_state AS (
    SELECT
        e.chain,
        c.*,
        f.confirmed_at,
        -- Before its first unrecognised word a chain was something else.
        CASE WHEN c.state = 'unknown' THEN c.changed_after ELSE f.confirmed_at END AS known_at,
        coalesce(
            g.reason,
            p.reason,
            CASE WHEN c.state = 'unknown' THEN 'unrecognised:' || c.status_raw END
        ) AS unknown_reason,
        g.reason IS NULL AND p.reason IS NULL AS is_answered
    FROM store.chain_entity AS e
    JOIN store.chain_current AS c USING (entity_id)
    JOIN confirmed AS f USING (entity_id)
    CROSS JOIN last_poll AS p
    LEFT JOIN gap AS g ON g.entity_id = c.entity_id AND g.poll_id = p.poll_id
)

SELECT
    n.chain,
    n.chain_full_name,
    CASE WHEN n.unknown_reason IS NULL THEN n.state ELSE 'unknown' END AS status,
    CASE WHEN n.is_answered THEN n.status_raw END AS status_raw,
    CASE WHEN n.unknown_reason IS NULL THEN n.changed_after ELSE n.known_at END AS started_after,
    CASE WHEN n.unknown_reason IS NULL THEN n.changed_by ELSE coalesce(b.observed_at, n.changed_by) END
        AS started_by,
    r.state AS last_known_status,
    make_timestamptz(r.poll_id) AS last_known_status_since,
    n.unknown_reason,
    n.needs_memo,
    store.is_watched_chain(n.chain) AS is_watched,
    n.confirmed_at AS observed_at,
    store.data_age_s(n.confirmed_at) AS data_age_s,
    store.is_stale('chains', n.confirmed_at) AS is_stale
FROM now_state AS n
LEFT JOIN recognised AS r USING (entity_id)
-- The unknown began with the first poll after the last known answer.
ASOF LEFT JOIN chain_poll AS b ON b.observed_at > n.known_at;
