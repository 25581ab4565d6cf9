-- macro: fee_by_hour_of_week(tz)
-- grain: a table macro: one row per pair and hour of the week in a time zone, over the last eight weeks
-- key: coin_id, chain, iso_dow, local_hour
-- consumers: treasury, the board
-- example: SELECT iso_dow, local_hour, fee_usd_p50 FROM fee_by_hour_of_week('Europe/Berlin') WHERE coin = 'USDT' AND chain = 'ETH' ORDER BY cheapest_rank
-- column coin_id: CCPayment's id of the coin that is paid out
-- column coin: its symbol
-- column chain: the chain it is paid out on
-- column iso_dow: day of the week in that zone: 1 is Monday, 7 Sunday
-- column local_hour: hour of the day in that zone, 0 to 23
-- column sample_count: how many times the fee was known at the beginning of such an hour: at most eight; an hour that a change of clocks leaves out or repeats has one less or more
-- column fee_usd_p10: a tenth of the samples were at or below it
-- column fee_usd_p50: half of them
-- column fee_usd_p90: nine tenths of them
-- column cheapest_rank: 1 is the hour with the lowest median of the pair
-- column saves_vs_now_usd: what the median is lower than the fee now; NULL without a fee now
CREATE OR REPLACE MACRO fee_by_hour_of_week(tz) AS TABLE
WITH held AS (
    SELECT
        coin_id,
        coin,
        chain,
        fee_usd,
        greatest(valid_from, now() - 56 * INTERVAL 24 HOUR) AS since,
        -- What still holds is known up to its last confirmation.
        coalesce(valid_to, (SELECT good_at FROM store.dataset_now WHERE dataset = 'withdraw_fee')) AS until
    FROM store.withdraw_fee_valued
    WHERE fee_usd IS NOT NULL AND (valid_to IS NULL OR valid_to > now() - 56 * INTERVAL 24 HOUR)
),

-- A sample is the fee that is known when an hour begins; most fees hold over no such moment.
hourly AS (
    SELECT *, ceil(epoch(since) / 3600)::BIGINT AS first_hour, ceil(epoch(until) / 3600)::BIGINT AS end_hour
    FROM held
),

sample AS (
    SELECT
        coin_id,
        coin,
        chain,
        fee_usd,
        make_timestamptz(unnest(range(first_hour, end_hour)) * 3600000000) AT TIME ZONE tz AS local_time
    FROM hourly
    WHERE first_hour < end_hour
),

summed AS (
    SELECT
        coin_id,
        coin,
        chain,
        isodow(local_time) AS iso_dow,
        hour(local_time) AS local_hour,
        count(*) AS sample_count,
        quantile_disc(fee_usd, 0.1) AS fee_usd_p10,
        quantile_disc(fee_usd, 0.5) AS fee_usd_p50,
        quantile_disc(fee_usd, 0.9) AS fee_usd_p90
    FROM sample
    GROUP BY ALL
)

SELECT
    s.*,
    rank() OVER (PARTITION BY s.coin_id, s.chain ORDER BY s.fee_usd_p50) AS cheapest_rank,
    n.fee_usd - s.fee_usd_p50 AS saves_vs_now_usd
FROM summed AS s
LEFT JOIN withdraw_fee_now AS n ON n.coin_id = s.coin_id AND n.chain = s.chain;
