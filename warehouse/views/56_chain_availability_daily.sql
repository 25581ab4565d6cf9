-- view: chain_availability_daily
-- grain: one row per chain and UTC day, from the day it was first seen until now
-- key: chain, day
-- consumers: operations, the board
-- example: SELECT chain, day, availability_pct, coverage_pct FROM chain_availability_daily ORDER BY day DESC, chain
-- column chain: symbol of the chain
-- column day: UTC day, in whatever time zone the session is
-- column normal_s: seconds known to be normal
-- column maintenance_s: seconds known to be in maintenance
-- column unknown_s: all other seconds of the day: no answer, an unknown word, no poll for more than three cadences; also before the chain was first seen, after the last poll, and what is still to come. The four add up to the length of the day
-- column absent_s: seconds known not to be listed
-- column availability_pct: normal_s in percent of the known seconds; a chain that is not listed is not available; NULL when nothing is known
-- column coverage_pct: known seconds in percent of the part of the day that has passed: how much of it availability_pct speaks of
-- column episode_count: maintenances that were first seen in this day
-- column mttr_s: mean seconds to repair of the maintenances that ended in this day, each from its first poll to the first one after it that does not say so, with or without an answer; unknown time inside counts, beside them it does not; NULL when none ended
-- column mtbf_s: mean seconds between failures: normal_s / episode_count; NULL without an episode
CREATE OR REPLACE VIEW chain_availability_daily AS
SELECT
    chain,
    day,
    normal_s,
    maintenance_s,
    86400 - normal_s - maintenance_s - absent_s AS unknown_s,
    absent_s,
    round(100 * normal_s / nullif(normal_s + maintenance_s + absent_s, 0), 4) AS availability_pct,
    round(100 * (normal_s + maintenance_s + absent_s) / nullif(passed_s, 0), 2) AS coverage_pct,
    begun_count AS episode_count,
    round(held_s / nullif(ended_count, 0))::BIGINT AS mttr_s,
    round(normal_s / nullif(begun_count, 0))::BIGINT AS mtbf_s
FROM store.chain_day;
