-- view: swap_coin_history
-- grain: one row per coin and change: added to the swap list, or removed from it
-- key: coin_id, poll_id
-- consumers: analysts
-- example: SELECT started_by, change, coin FROM swap_coin_history WHERE started_after IS NOT NULL ORDER BY started_by DESC
-- column coin_id: CCPayment's id of the coin
-- column coin: its symbol
-- column change: added or removed
-- column started_after: it happened after this moment, the list before, which said otherwise (NULL: it was listed when monitoring began)
-- column started_by: and at the latest at this moment: the first list that says so
-- column poll_id: the poll of that list
CREATE OR REPLACE VIEW swap_coin_history AS
WITH answer AS (
    SELECT
        e.coin_id,
        s.state = 'ok' AS is_listed,
        s.valid_from,
        s.poll_id,
        s.from_no
    FROM store.swap_coin_span AS s
    JOIN store.swap_coin_entity AS e USING (entity_id)
    WHERE s.unknown_reason IS NULL
),

-- An outage between two answers that agree is no change.
turn AS (
    SELECT *
    FROM answer
    QUALIFY is_listed IS DISTINCT FROM lag(is_listed, 1, false) OVER (PARTITION BY coin_id ORDER BY from_no)
),

list AS (
    SELECT poll_no, observed_at
    FROM store.ledger
    WHERE feed = 'coins' AND outcome IN ('ok', 'partial')
)

SELECT
    t.coin_id,
    coin.coin,
    CASE WHEN t.is_listed THEN 'added' ELSE 'removed' END AS change,
    l.observed_at AS started_after,
    t.valid_from AS started_by,
    t.poll_id
FROM turn AS t
ASOF LEFT JOIN list AS l ON l.poll_no < t.from_no
LEFT JOIN coin USING (coin_id);
