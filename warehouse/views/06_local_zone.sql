-- macro: local_zone()
-- grain: scalar macros: the time zone of months (`timezone` under [board] in ccpay.toml; UTC until the first poll), the months of it that a stretch of time touches (local_months), and the microseconds of a stretch in one of them (month_us)
-- key: none
-- consumers: withdrawal_cost_in
-- example: SELECT store.local_zone()
-- A name that this DuckDB does not know would make every view that uses it fail.
CREATE OR REPLACE MACRO store.local_zone() AS coalesce(
    (
        SELECT any_value(t.name)
        FROM store.watch_setting AS w
        JOIN pg_timezone_names() AS t ON t.name = w.value
        WHERE w.kind = 'board' AND w.name = 'timezone'
    ),
    'UTC'
);
-- Months as plain local timestamps; a month of a time zone is none of UTC.
CREATE OR REPLACE MACRO store.local_months(from_at, to_at, zone) AS generate_series(
    date_trunc('month', from_at AT TIME ZONE zone),
    (to_at AT TIME ZONE zone) - INTERVAL 1 MICROSECOND,
    INTERVAL 1 MONTH
);
CREATE OR REPLACE MACRO store.month_us(from_at, to_at, month_start, zone) AS greatest(
    0,
    epoch_us(least(to_at, (month_start + INTERVAL 1 MONTH) AT TIME ZONE zone))
    - epoch_us(greatest(from_at, month_start AT TIME ZONE zone))
);
