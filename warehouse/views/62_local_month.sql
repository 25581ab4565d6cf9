-- inner: store.local_month
-- grain: one row per month of the configured time zone with polls in it
-- key: month
-- consumers: withdrawal_cost_in
-- example: SELECT month, begins_at, ends_at FROM store.local_month
CREATE OR REPLACE VIEW store.local_month AS
SELECT
    local_start::DATE AS month,
    local_start AT TIME ZONE zone AS begins_at,
    (local_start + INTERVAL 1 MONTH) AT TIME ZONE zone AS ends_at
FROM (
    SELECT
        unnest(generate_series(
            date_trunc('month', min(p.observed_at) AT TIME ZONE any_value(z.zone)),
            max(p.observed_at) AT TIME ZONE any_value(z.zone),
            INTERVAL 1 MONTH
        ))::TIMESTAMP AS local_start,
        any_value(z.zone) AS zone
    FROM store.ledger AS p
    CROSS JOIN (SELECT store.local_zone() AS zone) AS z
);
-- The microseconds of a stretch of time that lie in a month.
CREATE OR REPLACE MACRO store.overlap_us(from_at, to_at, begins_at, ends_at) AS
    epoch_us(least(to_at, ends_at)) - epoch_us(greatest(from_at, begins_at));
