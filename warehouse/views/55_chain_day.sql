-- inner: store.chain_day
-- grain: one row per chain and UTC day, from the day it was first seen until today
-- key: chain, day
-- consumers: chain_availability_daily, chain_availability_monthly
-- example: SELECT chain, day, normal_s, passed_s FROM store.chain_day
-- Plain UTC timestamps: days of TIMESTAMPTZ follow the session's time zone. Known times are cut down
-- to whole seconds, so that what is not known never comes out negative.
CREATE OR REPLACE VIEW store.chain_day AS
WITH clock AS (
    SELECT greatest(now(), max(observed_at)) AT TIME ZONE 'UTC' AS now_at
    FROM store.ledger
    WHERE feed = 'chains'
),

calendar AS (
    SELECT
        h.chain,
        unnest(generate_series(
            date_trunc('day', min(h.valid_from) AT TIME ZONE 'UTC'),
            any_value(c.now_at),
            INTERVAL 1 DAY
        ))::TIMESTAMP AS day_start,
        any_value(c.now_at) AS now_at
    FROM main.chain_status_history AS h
    CROSS JOIN clock AS c
    GROUP BY h.chain
),

piece AS (
    SELECT
        *,
        unnest(generate_series(
            date_trunc('day', from_at), to_at - INTERVAL 1 MICROSECOND, INTERVAL 1 DAY
        ))::TIMESTAMP AS day_start
    FROM (
        SELECT
            chain,
            status,
            known_from AT TIME ZONE 'UTC' AS from_at,
            known_to AT TIME ZONE 'UTC' AS to_at
        FROM store.chain_known
    )
),

timed AS (
    SELECT
        chain,
        day_start,
        status,
        epoch_us(least(to_at, day_start + INTERVAL 1 DAY)) - epoch_us(greatest(from_at, day_start)) AS known_us
    FROM piece
),

known AS (
    SELECT
        chain,
        day_start,
        sum(known_us) FILTER (WHERE status = 'normal')::BIGINT // 1000000 AS normal_s,
        sum(known_us) FILTER (WHERE status = 'maintenance')::BIGINT // 1000000 AS maintenance_s,
        sum(known_us) FILTER (WHERE status = 'absent')::BIGINT // 1000000 AS absent_s
    FROM timed
    GROUP BY chain, day_start
),

begun AS (
    SELECT chain, date_trunc('day', started_by AT TIME ZONE 'UTC') AS day_start, count(*) AS begun_count
    FROM store.maintenance
    GROUP BY ALL
),

ended AS (
    SELECT
        chain,
        date_trunc('day', ended_by AT TIME ZONE 'UTC') AS day_start,
        count(*) AS ended_count,
        sum(held_s) AS held_s
    FROM store.maintenance
    WHERE ended_by IS NOT NULL
    GROUP BY ALL
)

SELECT
    c.chain,
    c.day_start::DATE AS day,
    coalesce(k.normal_s, 0) AS normal_s,
    coalesce(k.maintenance_s, 0) AS maintenance_s,
    coalesce(k.absent_s, 0) AS absent_s,
    -- As far as the day has passed.
    floor(epoch(least(c.day_start + INTERVAL 1 DAY, c.now_at)) - epoch(c.day_start))::BIGINT AS passed_s,
    coalesce(b.begun_count, 0) AS begun_count,
    coalesce(e.ended_count, 0) AS ended_count,
    coalesce(e.held_s, 0) AS held_s
FROM calendar AS c
LEFT JOIN known AS k USING (chain, day_start)
LEFT JOIN begun AS b USING (chain, day_start)
LEFT JOIN ended AS e USING (chain, day_start);
