-- question: Which chains were least available over the last 30 full days, and how much of that time do we know?
-- grain: one row per chain that is listed now
-- key: chain
-- consumers: operations
-- edit: the days
-- column chain: the chain
-- column availability_pct: time in normal operation in percent of the known time; NULL when nothing is known
-- column coverage_pct: known time in percent of the 30 days
-- column maintenance_h: hours known to be in maintenance
-- column unknown_h: hours of the 30 days of which nothing is known, those before the chain was first listed included
-- column episode_count: maintenances that began in them
WITH span AS (
    SELECT (now() AT TIME ZONE 'UTC')::DATE AS today, 30 AS days
),

summed AS (
    SELECT
        s.chain,
        span.days * 86400 AS span_s,
        coalesce(sum(a.normal_s), 0) AS normal_s,
        coalesce(sum(a.maintenance_s), 0) AS maintenance_s,
        coalesce(sum(a.normal_s + a.maintenance_s + a.absent_s), 0) AS known_s,
        coalesce(sum(a.episode_count), 0)::BIGINT AS episode_count
    FROM chain_status_now AS s
    CROSS JOIN span
    LEFT JOIN chain_availability_daily AS a
        ON a.chain = s.chain AND a.day >= span.today - span.days AND a.day < span.today
    WHERE s.status <> 'absent'
    GROUP BY s.chain, span.days
)

SELECT
    chain,
    round(100 * normal_s / nullif(known_s, 0), 4) AS availability_pct,
    round(100 * known_s / span_s, 2) AS coverage_pct,
    round(maintenance_s / 3600, 2) AS maintenance_h,
    round((span_s - known_s) / 3600, 2) AS unknown_h,
    episode_count
FROM summed
ORDER BY availability_pct NULLS LAST, chain;
