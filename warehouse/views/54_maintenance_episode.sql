-- view: maintenance_episode
-- grain: one row per maintenance of a chain; unknown time inside does not split it, and unknown time beside it widens its bounds
-- key: maintenance_id
-- consumers: operations, alert messages, the board
-- example: SELECT chain, started_by, ended_by, min_duration_s, max_duration_s FROM maintenance_episode ORDER BY started_by DESC
-- column maintenance_id: the chain and the poll_id of the first poll with this maintenance; it never changes
-- column chain: symbol of the chain
-- column started_after: it began after this moment, the last at which another answer was known (NULL: it was so when monitoring began)
-- column started_by: and at the latest at this moment: the first poll with it
-- column ended_after: it ended after this moment, the last poll with it; while it is open, when it was last confirmed
-- column ended_by: and at the latest at this moment, the first poll with another answer: normal, or no longer listed; NULL while it is open
-- column is_open: whether no later answer says otherwise; during an outage it stays open
-- column min_duration_s: seconds it lasted at least, from started_by to ended_after
-- column max_duration_s: seconds it lasted at most, from started_after to ended_by; NULL while one of them is
-- column unknown_s: seconds between started_by and ended_after in which the status was not known: no answer, an unknown word, or no poll for more than three cadences (of the two polls around that time, the longer one)
-- column affected_coin_count: coins that the token lists had on this chain at any time from started_by to ended_by, what was answered holding until another answer; NULL when there was no list yet
CREATE OR REPLACE VIEW maintenance_episode AS
WITH known AS (
    SELECT
        m.maintenance_id,
        sum(
            epoch(least(k.known_to, m.ended_after)) - epoch(greatest(k.known_from, m.started_by))
        ) AS known_s
    FROM store.maintenance AS m
    JOIN store.chain_known AS k
        ON k.chain = m.chain AND k.known_from < m.ended_after AND k.known_to > m.started_by
    GROUP BY m.maintenance_id
),

-- What was answered holds until another answer.
listed AS (
    SELECT e.coin_id, e.chain, s.state, s.valid_from,
        lead(s.valid_from, 1, 'infinity'::TIMESTAMPTZ) OVER (
            PARTITION BY s.entity_id ORDER BY s.valid_from
        ) AS held_to
    FROM store.coin_network_span AS s
    JOIN store.coin_network_entity AS e USING (entity_id)
    WHERE s.unknown_reason IS NULL
),

affected AS (
    SELECT m.maintenance_id, count(DISTINCT l.coin_id) AS coin_count
    FROM store.maintenance AS m
    JOIN listed AS l
        ON l.chain = m.chain
        AND l.valid_from < coalesce(m.ended_by, 'infinity'::TIMESTAMPTZ)
        AND l.held_to > m.started_by
    WHERE l.state = 'ok'
    GROUP BY m.maintenance_id
),

list AS (
    SELECT min(observed_at) AS known_from
    FROM store.ledger
    WHERE feed = 'networks' AND outcome IN ('ok', 'partial')
)

SELECT
    m.maintenance_id,
    m.chain,
    m.started_after,
    m.started_by,
    m.ended_after,
    m.ended_by,
    m.ended_by IS NULL AS is_open,
    round(epoch(m.ended_after) - epoch(m.started_by))::BIGINT AS min_duration_s,
    round(epoch(m.ended_by) - epoch(m.started_after))::BIGINT AS max_duration_s,
    round(epoch(m.ended_after) - epoch(m.started_by) - coalesce(k.known_s, 0))::BIGINT AS unknown_s,
    CASE
        WHEN list.known_from < coalesce(m.ended_by, 'infinity'::TIMESTAMPTZ) THEN coalesce(a.coin_count, 0)
    END AS affected_coin_count
FROM store.maintenance AS m
CROSS JOIN list
LEFT JOIN known AS k USING (maintenance_id)
LEFT JOIN affected AS a USING (maintenance_id);
