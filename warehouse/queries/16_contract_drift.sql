-- question: What has the API answered in the last 30 days that its documentation does not say?
-- grain: one row per endpoint, place in its answers and kind of deviation
-- key: endpoint, path, kind
-- consumers: data engineers
-- edit: the days
-- column endpoint: the endpoint that answered so
-- column path: where in the answer
-- column kind: new_field, bad_value, unknown_enum, duplicate or missing_field
-- column value_count: how many different values deviated there
-- column first_seen_at: when the first of them was seen
-- column example: one of the values
-- column sample: the item that showed it, as JSON
SELECT
    endpoint,
    path,
    kind,
    count(*) AS value_count,
    min(first_seen_at) AS first_seen_at,
    arg_min(value, (first_seen_at, value)) AS example,
    arg_min(sample, (first_seen_at, value)) AS sample
FROM contract_drift
WHERE first_seen_at > now() - 30 * INTERVAL 24 HOUR
GROUP BY endpoint, path, kind
ORDER BY first_seen_at DESC, endpoint, path, kind;
