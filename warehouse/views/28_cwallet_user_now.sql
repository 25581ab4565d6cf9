-- view: cwallet_user_now
-- grain: one row per watched Cwallet id
-- key: label, cwallet_user_id
-- consumers: treasury
-- example: SELECT label, user_name FROM cwallet_user_now
-- column label: the user's own name for the Cwallet id
-- column cwallet_user_id: a hash of the id
-- column user_name: the masked user name that the API gives; NULL when it refused
-- column observed_at: when it was last answered
-- column data_age_s: seconds since then
-- column is_stale: whether that is more than three cadences
CREATE OR REPLACE VIEW cwallet_user_now AS
SELECT
    e.label,
    e.cwallet_user_id,
    c.user_name,
    c.answered_at AS observed_at,
    store.data_age_s(c.answered_at) AS data_age_s,
    store.is_stale('watchlist', c.answered_at) AS is_stale
FROM store.cwallet_user_entity AS e
JOIN store.cwallet_user_current AS c USING (entity_id)
WHERE c.state <> 'absent';
