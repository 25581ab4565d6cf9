-- macro: stretches(feed, dataset)
-- grain: a table macro: one row per entity and stretch of time with the same answer; polls without an answer are stretches of state unknown
-- key: entity_id, poll_id
-- consumers: withdraw_fee_history, fiat_rate_history
-- example: SELECT * FROM store.stretches('fiats', 'fiat')
-- column entity_id: of the dataset's tables
-- column poll_id: first poll of the stretch
-- column state: of the entity, or unknown
-- column answer_poll_id: poll of the observation that holds the answer
-- column valid_from: when the stretch was first seen
-- column valid_to: when the next one was; NULL while it is still so
-- Nothing fills across unknown: a failed, skipped or partial poll without an answer ends a stretch,
-- and the next answer begins another even when it says the same as before.
CREATE OR REPLACE MACRO store.stretches(feed_name, dataset_name) AS TABLE
WITH feed_poll AS (
    SELECT poll_id, outcome, lead(poll_id) OVER (ORDER BY poll_id) AS next_poll_id
    FROM store.poll
    WHERE feed = feed_name
),

entity AS (
    SELECT entity_id, first_poll_id FROM store.withdraw_fee_entity WHERE dataset_name = 'withdraw_fee'
    UNION ALL
    SELECT entity_id, first_poll_id FROM store.fiat_entity WHERE dataset_name = 'fiat'
    UNION ALL
    SELECT entity_id, first_poll_id FROM store.coin_price_entity WHERE dataset_name = 'coin_price'
),

observation AS (
    SELECT entity_id, poll_id, state FROM store.withdraw_fee_observation WHERE dataset_name = 'withdraw_fee'
    UNION ALL
    SELECT entity_id, poll_id, state FROM store.fiat_observation WHERE dataset_name = 'fiat'
    UNION ALL
    SELECT entity_id, poll_id, state FROM store.coin_price_observation WHERE dataset_name = 'coin_price'
),

-- Polls without an answer for an entity: it was in a gap, or the whole poll has no answer.
silent AS (
    SELECT g.poll_id, unnest(g.entity_ids) AS entity_id
    FROM store.poll_gap AS g
    SEMI JOIN feed_poll USING (poll_id)
    WHERE g.dataset = dataset_name
    UNION
    SELECT p.poll_id, e.entity_id
    FROM feed_poll AS p
    JOIN entity AS e ON e.first_poll_id <= p.poll_id
    WHERE p.outcome NOT IN ('ok', 'partial')
),

-- Only what borders a silence can begin without an observation.
resumed AS (
    SELECT s.entity_id, p.next_poll_id AS poll_id
    FROM silent AS s
    JOIN feed_poll AS p USING (poll_id)
    WHERE p.next_poll_id IS NOT NULL
    EXCEPT
    SELECT entity_id, poll_id FROM silent
),

-- Everything at which an entity's story turns: an observation, a silence, its end.
turn AS (
    SELECT entity_id, poll_id, state, poll_id AS answer_poll_id FROM observation
    UNION
    SELECT entity_id, poll_id, 'unknown' AS state, NULL AS answer_poll_id FROM silent
    UNION
    SELECT r.entity_id, r.poll_id, o.state, o.poll_id AS answer_poll_id
    FROM resumed AS r
    ASOF JOIN observation AS o ON o.entity_id = r.entity_id AND o.poll_id <= r.poll_id
)

SELECT
    t.entity_id,
    t.poll_id,
    t.state,
    t.answer_poll_id,
    p.observed_at AS valid_from,
    lead(p.observed_at) OVER (PARTITION BY t.entity_id ORDER BY t.poll_id) AS valid_to
FROM turn AS t
JOIN store.poll AS p USING (poll_id);
