-- view: chain_status_history
-- grain: one row per chain and stretch of polls with the same status and the same raw word; polls that failed or were skipped are a stretch of unknown
-- key: chain, valid_from
-- consumers: operations, alert messages
-- example: SELECT status, valid_from, valid_to, poll_count FROM chain_status_history WHERE chain = 'TRX' ORDER BY valid_from DESC
-- column chain: symbol of the chain
-- column status: normal, maintenance, unknown or absent; what was named but could never be read is unknown until it is
-- column status_raw: the API's own word; NULL for absent and during an outage
-- column valid_from: when this was first seen
-- column valid_to: when something else was first seen; NULL while it is still so
-- column first_poll_id: first poll of the stretch
-- column last_poll_id: last poll of the stretch
-- column poll_count: polls in the stretch
-- column unknown_poll_count: those of them without a known status
CREATE OR REPLACE VIEW chain_status_history AS
WITH chain_poll AS (
    SELECT poll_no, poll_id, observed_at, row_number() OVER (ORDER BY poll_no) AS number
    FROM store.ledger
    WHERE feed = 'chains'
),

known AS (
    SELECT
        entity_id,
        from_no,
        to_no,
        CASE WHEN unknown_reason IS NULL THEN state ELSE 'unknown' END AS status,
        CASE WHEN unknown_reason IS NULL THEN status_raw END AS status_raw
    FROM store.chain_span
),

-- Between the end of a stretch and the next beginning no poll had an answer.
silent AS (
    SELECT entity_id, ended_no AS from_no, resumed_no AS to_no, 'unknown' AS status, NULL AS status_raw
    FROM (
        SELECT
            entity_id,
            to_no AS ended_no,
            coalesce(
                lead(from_no) OVER (PARTITION BY entity_id ORDER BY from_no),
                (SELECT max(poll_no) + 1 FROM chain_poll)
            ) AS resumed_no
        FROM known
    )
    WHERE ended_no < resumed_no
),

-- Flags and confirmations are parts of an answer too: what differs only in them is one row here.
turned AS (
    SELECT
        *,
        status IS DISTINCT FROM lag(status) OVER chain_order
        OR status_raw IS DISTINCT FROM lag(status_raw) OVER chain_order AS turns
    FROM (FROM known UNION ALL FROM silent)
    WINDOW chain_order AS (PARTITION BY entity_id ORDER BY from_no)
),

run AS (
    SELECT
        entity_id,
        any_value(status) AS status,
        any_value(status_raw) AS status_raw,
        min(from_no) AS from_no,
        max(to_no) AS to_no
    FROM (SELECT *, count(*) FILTER (WHERE turns) OVER (PARTITION BY entity_id ORDER BY from_no) AS number FROM turned)
    GROUP BY entity_id, number
),

-- The first and the last poll of each run, and how many lie between them.
bounded AS (
    SELECT
        r.*,
        f.poll_id AS first_poll_id,
        f.observed_at AS valid_from,
        l.poll_id AS last_poll_id,
        l.number - f.number + 1 AS poll_count
    FROM run AS r
    JOIN chain_poll AS f ON f.poll_no = r.from_no
    ASOF JOIN chain_poll AS l ON r.to_no > l.poll_no
)

SELECT
    e.chain,
    b.status,
    b.status_raw,
    b.valid_from,
    lead(b.valid_from) OVER (PARTITION BY b.entity_id ORDER BY b.from_no) AS valid_to,
    b.first_poll_id,
    b.last_poll_id,
    b.poll_count,
    CASE WHEN b.status = 'unknown' THEN b.poll_count ELSE 0 END AS unknown_poll_count
FROM bounded AS b
JOIN store.chain_entity AS e USING (entity_id);
