-- question: Which chains were least available over the last 30 full days, and how much of that time do we know?
-- grain: one row per chain that is listed now
-- key: chain
-- consumers: operations
-- edit: the days
-- column chain: the chain
-- column availability_pct: time in normal operation in percent of the known time; NULL when nothing is known
-- column coverage_pct: known time in percent of the 30 days
-- column maintenance_h: hours in maintenance
-- column unknown_h: hours of which nothing is known
-- column episode_count: maintenances that began
SELECT
    a.chain,
    round(
        100 * sum(a.normal_s) / nullif(sum(a.normal_s) + sum(a.maintenance_s) + sum(a.absent_s), 0), 4
    ) AS availability_pct,
    round(100 * (1 - sum(a.unknown_s) / (30 * 86400)), 2) AS coverage_pct,
    round(sum(a.maintenance_s) / 3600, 2) AS maintenance_h,
    round(sum(a.unknown_s) / 3600, 2) AS unknown_h,
    sum(a.episode_count)::BIGINT AS episode_count
FROM chain_availability_daily AS a
JOIN chain_status_now AS s ON s.chain = a.chain
WHERE s.status <> 'absent'
    AND a.day >= (now() AT TIME ZONE 'UTC')::DATE - 30
    AND a.day < (now() AT TIME ZONE 'UTC')::DATE
GROUP BY a.chain
ORDER BY availability_pct NULLS LAST, a.chain;
