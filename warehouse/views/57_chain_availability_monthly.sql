-- view: chain_availability_monthly
-- grain: one row per chain and UTC month, from the month it was first seen until now
-- key: chain, month
-- consumers: operations, the board
-- example: SELECT chain, month, availability_pct, coverage_pct FROM chain_availability_monthly ORDER BY month DESC, chain
-- column chain: symbol of the chain
-- column month: first day of the UTC month
-- column normal_s: seconds known to be normal
-- column maintenance_s: seconds known to be in maintenance
-- column unknown_s: all other seconds of the month: no answer, an unknown word, no poll for more than three cadences; also before the chain was first seen, after the last poll, and what is still to come. The four add up to the length of the month
-- column absent_s: seconds known not to be listed
-- column availability_pct: normal_s in percent of the known seconds; a chain that is not listed is not available; NULL when nothing is known
-- column coverage_pct: known seconds in percent of the part of the month that has passed: how much of it availability_pct speaks of
-- column episode_count: maintenances that were first seen in this month
-- column mttr_s: mean seconds to repair of the maintenances that ended in this month, each from its first poll to the first one after it that does not say so, with or without an answer; unknown time inside counts, beside them it does not; NULL when none ended
-- column mtbf_s: mean seconds between failures: normal_s / episode_count; NULL without an episode
CREATE OR REPLACE VIEW chain_availability_monthly AS
WITH summed AS (
    SELECT
        chain,
        date_trunc('month', day)::DATE AS month,
        86400 * day(last_day(min(day))) AS length_s,
        -- The days of the month before the chain was first seen have passed too.
        86400 * (day(min(day)) - 1) + sum(passed_s)::BIGINT AS passed_s,
        sum(normal_s)::BIGINT AS normal_s,
        sum(maintenance_s)::BIGINT AS maintenance_s,
        sum(absent_s)::BIGINT AS absent_s,
        sum(begun_count)::BIGINT AS begun_count,
        sum(ended_count)::BIGINT AS ended_count,
        sum(held_s) AS held_s
    FROM store.chain_day
    GROUP BY ALL
)

SELECT
    chain,
    month,
    normal_s,
    maintenance_s,
    length_s - normal_s - maintenance_s - absent_s AS unknown_s,
    absent_s,
    round(100 * normal_s / nullif(normal_s + maintenance_s + absent_s, 0), 4) AS availability_pct,
    round(100 * (normal_s + maintenance_s + absent_s) / nullif(passed_s, 0), 2) AS coverage_pct,
    begun_count AS episode_count,
    round(held_s / nullif(ended_count, 0))::BIGINT AS mttr_s,
    round(normal_s / nullif(begun_count, 0))::BIGINT AS mtbf_s
FROM summed;
