-- view: contract_drift
-- grain: one row per deviation of the API from its documented contract, the first time it was seen
-- key: endpoint, path, kind, value
-- consumers: data engineers, doctor
-- example: SELECT first_seen_at, endpoint, path, kind, value FROM contract_drift ORDER BY first_seen_at DESC
-- column endpoint: the endpoint that answered so
-- column path: where in the answer
-- column kind: new_field, bad_value, unknown_enum, duplicate, missing_field, unknown_code (one that the reference does not list) or list_size (empty or suddenly much shorter; poll_coverage and the alerts say when)
-- column value: the value or name that deviates
-- column first_seen_at: when it was first seen
-- column sample: the item that showed it, as JSON
CREATE OR REPLACE VIEW contract_drift AS
SELECT endpoint, path, kind, value, first_seen_at, sample
FROM store.drift;
