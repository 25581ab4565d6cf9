-- macro: silence_reason(outcome, error_code, error_name)
-- grain: a scalar macro: why a whole poll has no answer; NULL for a poll that has answers
-- key: none
-- consumers: every view that shows an unknown_reason
-- example: SELECT store.silence_reason('failed', 11002, 'RateLimit')
-- A skipped poll (ban, used-up budget) says as little as a failed one.
CREATE OR REPLACE MACRO store.silence_reason(outcome, error_code, error_name) AS
    CASE
        WHEN outcome NOT IN ('ok', 'partial')
            THEN coalesce(coalesce(error_code || ' ', '') || error_name, error_code::VARCHAR, 'no_answer')
    END;
