-- inner: store.fee_clock
-- grain: one row per attempt to poll fees, with how much time of the history up to it is known
-- key: poll_no
-- consumers: store.withdraw_fee_rolled, the board
-- example: SELECT poll_no, at_us, known_us / 1000000 AS known_s FROM store.fee_clock ORDER BY poll_no DESC LIMIT 1
-- Time between two polls that are more than three cadences apart (the longer of their two) is known
-- of no pair, whatever both of them say: the clock stands still. What is known of a stretch is then a
-- difference of two readings; one that still goes on ends at the last poll, which is there once more
-- under the number of what is still to come (spans.py). Polls that overlap may be stored in another order than they were
-- answered in; the clock never goes back, so that no time counts twice.
CREATE OR REPLACE VIEW store.fee_clock AS
WITH attempt AS (
    SELECT poll_no, cadence_s, max(epoch_us(observed_at)) OVER (ORDER BY poll_no) AS at_us
    FROM store.ledger
    WHERE feed = 'fees'
),

step AS (
    SELECT
        *,
        lead(at_us) OVER polled - at_us AS until_next_us,
        3000000 * greatest(cadence_s, lead(cadence_s) OVER polled) AS limit_us
    FROM attempt
    WINDOW polled AS (ORDER BY poll_no)
),

known AS (
    SELECT poll_no, at_us, CASE WHEN until_next_us <= limit_us THEN until_next_us ELSE 0 END AS ahead_us
    FROM step
),

reading AS (
    SELECT *, (sum(ahead_us) OVER (ORDER BY poll_no) - ahead_us)::BIGINT AS known_us
    FROM known
)

SELECT * FROM reading
UNION ALL
SELECT 9223372036854775807, max(at_us), 0, max(known_us)
FROM reading
HAVING count(*) > 0;
