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
WITH now_state AS (
    SELECT
        e.chain,
        c.* EXCLUDE (unknown_reason),
        d.silent_no IS NULL AND c.unknown_reason IS NULL AS is_answered,
        coalesce(
            CASE WHEN d.silent_no IS NULL THEN c.unknown_reason ELSE d.silent_reason END,
            CASE WHEN c.state = 'unknown' THEN 'unrecognised:' || c.status_raw END
        ) AS unknown_reason,
        -- Before its first unrecognised word a chain was something else.
        CASE WHEN c.state = 'unknown' THEN c.changed_after ELSE c.confirmed_at END AS known_at
    FROM store.chain_entity AS e
    JOIN store.chain_current AS c USING (entity_id)
    JOIN store.dataset_now AS d ON d.dataset = 'chain'
    WHERE c.answered_at IS NOT NULL
),

-- The unknown began with the first poll after the last known answer.
began AS (
    SELECT n.chain, min(p.observed_at) AS began_at
    FROM now_state AS n
    JOIN store.poll AS p ON p.observed_at > n.known_at
    WHERE n.unknown_reason IS NOT NULL AND p.feed = 'chains'
    GROUP BY n.chain
)

SELECT
    n.chain,
    n.chain_full_name,
    CASE WHEN n.unknown_reason IS NULL THEN n.state ELSE 'unknown' END AS status,
    CASE WHEN n.is_answered THEN n.status_raw END AS status_raw,
    CASE WHEN n.unknown_reason IS NULL THEN n.changed_after ELSE n.known_at END AS started_after,
    CASE WHEN n.unknown_reason IS NULL THEN n.changed_by ELSE coalesce(b.began_at, n.changed_by) END AS started_by,
    n.known_state AS last_known_status,
    make_timestamptz(n.known_poll_id) AS last_known_status_since,
    n.unknown_reason,
    n.needs_memo,
    store.is_watched_chain(n.chain) AS is_watched,
    n.confirmed_at AS observed_at,
    store.data_age_s(n.confirmed_at) AS data_age_s,
    store.is_stale('chains', n.confirmed_at) AS is_stale
FROM now_state AS n
LEFT JOIN began AS b USING (chain);
