-- question: How often did each chain go into maintenance over 90 days, and how long did that last?
-- grain: one row per chain with a maintenance that began in that time
-- key: chain
-- consumers: operations
-- edit: the days
-- column chain: the chain
-- column episode_count: maintenances that began, those that go on included
-- column open_count: those that go on
-- column mean_min_s: mean of the seconds that those that ended lasted at least
-- column mean_max_s: mean of the seconds that they lasted at most; what began before monitoring did has no such bound
-- column longest_max_s: the longest of them, at most
-- column unknown_s: seconds inside of them in which the status was not known
SELECT
    chain,
    count(*) AS episode_count,
    count(*) FILTER (WHERE is_open) AS open_count,
    round(avg(min_duration_s) FILTER (WHERE NOT is_open))::BIGINT AS mean_min_s,
    round(avg(max_duration_s) FILTER (WHERE NOT is_open))::BIGINT AS mean_max_s,
    max(max_duration_s) AS longest_max_s,
    sum(unknown_s)::BIGINT AS unknown_s
FROM maintenance_episode
WHERE started_by > now() - 90 * INTERVAL 24 HOUR
GROUP BY chain
ORDER BY episode_count DESC, chain;
