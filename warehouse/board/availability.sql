-- question: How available was each chain over the last 90 days, today included, and how much of that time is known?
-- grain: one row per chain that is listed now
-- key: chain
-- consumers: the board
WITH day AS (
    SELECT chain, day, normal_s, normal_s + maintenance_s + absent_s AS known_s, maintenance_s, episode_count
    FROM chain_availability_daily
    WHERE day > ($now AT TIME ZONE 'UTC')::DATE - 90
),

-- What has passed of the 90 days.
span AS (
    SELECT 89 * 86400 + epoch($now)::BIGINT % 86400 AS seconds
)

SELECT
    s.chain,
    round(100 * sum(d.normal_s) / nullif(sum(d.known_s), 0), 4) AS availability_pct,
    round(100 * sum(d.known_s) / any_value(span.seconds), 2) AS coverage_pct,
    round(sum(d.maintenance_s) / 3600, 2) AS maintenance_h,
    sum(d.episode_count)::BIGINT AS episode_count,
    min(d.day) AS first_day,
    list(round(100 * d.normal_s / nullif(d.known_s, 0), 2) ORDER BY d.day) AS daily_availability_pct
FROM chain_status_now AS s
CROSS JOIN span
JOIN day AS d ON d.chain = s.chain
WHERE s.status <> 'absent'
GROUP BY s.chain
ORDER BY availability_pct NULLS LAST, s.chain
