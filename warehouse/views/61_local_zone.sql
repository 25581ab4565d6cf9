-- macro: local_zone()
-- grain: a scalar macro: the time zone of months, `timezone` under [board] in ccpay.toml; UTC until the first poll
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
