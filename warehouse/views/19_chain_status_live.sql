-- inner: store.chain_status_live
-- grain: one row per chain that was ever listed, as the last commit left it
-- key: chain
-- consumers: the table store.chain_status_ready, which is made from it at each commit
-- example: SELECT chain, status FROM store.chain_status_live
CREATE OR REPLACE VIEW store.chain_status_live AS
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
    CASE WHEN n.is_answered AND n.state <> 'absent' THEN n.status_raw END AS status_raw,
    CASE WHEN n.unknown_reason IS NULL THEN n.changed_after ELSE n.known_at END AS started_after,
    CASE WHEN n.unknown_reason IS NULL THEN n.changed_by ELSE coalesce(b.began_at, n.changed_by) END AS started_by,
    n.known_state AS last_known_status,
    make_timestamptz(n.known_poll_id) AS last_known_status_since,
    n.unknown_reason,
    n.needs_memo,
    store.is_watched_chain(n.chain) AS is_watched,
    n.confirmed_at AS observed_at
FROM now_state AS n
LEFT JOIN began AS b USING (chain);
