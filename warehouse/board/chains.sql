-- question: Which chains are normal now, since when, and how many coins does each carry?
-- grain: one row per chain that was ever listed
-- key: chain
-- consumers: the board, status.json
SELECT
    s.chain,
    s.chain_full_name,
    s.status,
    s.status_raw,
    s.unknown_reason,
    s.started_after,
    s.started_by,
    s.last_known_status,
    s.last_known_status_since,
    s.is_watched,
    count(DISTINCT n.coin_id) AS coin_count,
    list_slice(list(DISTINCT n.coin ORDER BY n.coin), 1, 40) AS coins,
    s.observed_at
FROM chain_status_now AS s
LEFT JOIN coin_network_now AS n ON n.chain = s.chain
GROUP BY ALL
ORDER BY s.chain
