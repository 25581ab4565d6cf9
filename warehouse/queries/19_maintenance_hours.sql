-- question: At which hours of the day, in Berlin time, do maintenances tend to run, so that a payout batch can avoid them?
-- grain: one row per chain and hour of the day in which a maintenance ran in the last 90 days
-- key: chain, local_hour
-- consumers: operations, treasury
-- edit: the time zone and the days
-- column chain: the chain
-- column local_hour: hour of the day in the time zone
-- column episode_count: maintenances that were seen in that hour
-- column day_count: days on which that was so
-- column last_day: the last of them
-- Moments a quarter of an hour apart, as the local hours of all time zones begin at one: a series of
-- local times would have an hour that a change of clocks leaves out.
WITH seen AS (
    SELECT
        chain,
        maintenance_id,
        unnest(generate_series(
            time_bucket(INTERVAL 15 MINUTE, greatest(started_by, now() - 90 * INTERVAL 24 HOUR)),
            greatest(started_by, ended_after),
            INTERVAL 15 MINUTE
        )) AT TIME ZONE 'Europe/Berlin' AS local_time
    FROM maintenance_episode
    WHERE ended_after > now() - 90 * INTERVAL 24 HOUR
)

SELECT
    chain,
    hour(local_time) AS local_hour,
    count(DISTINCT maintenance_id) AS episode_count,
    count(DISTINCT local_time::DATE) AS day_count,
    max(local_time::DATE) AS last_day
FROM seen
GROUP BY chain, hour(local_time)
ORDER BY episode_count DESC, chain, local_hour;
