-- question: At which hour of the week was a payout cheapest over the last 28 days, by the median of its samples?
-- grain: one row per pair and hour of the week in a time zone
-- key: coin_id, chain, iso_dow, local_hour
-- consumers: the board
WITH clock AS (
    SELECT hour_no, isodow(local_time) AS iso_dow, hour(local_time) AS local_hour
    FROM (
        SELECT hour_no, make_timestamptz(hour_no * 3600000000) AT TIME ZONE $zone AS local_time
        FROM (SELECT DISTINCT hour_no FROM sample)
    )
)

SELECT
    s.entity_id, -- all coins
    s.coin_id, -- one coin
    s.chain, -- one coin
    c.iso_dow,
    c.local_hour,
    count(*) AS sample_count,
    quantile_disc(s.fee_usd, 0.5) AS fee_usd_p50
FROM sample AS s
JOIN clock AS c ON c.hour_no = s.hour_no
WHERE s.chain = $chain -- one chain
GROUP BY ALL
ORDER BY coin_id, chain, iso_dow, local_hour -- one coin
