-- question: At which hours of the week is a USDT payout on ETH cheapest, in Berlin time?
-- grain: one row per hour of the week
-- key: coin_id, iso_dow, local_hour
-- consumers: treasury
-- edit: coin, chain and time zone
-- column cheapest_rank: 1 is the cheapest hour by the median
-- column coin_id: CCPayment's id of the coin
-- column iso_dow: day of the week, 1 is Monday
-- column local_hour: hour of the day in the time zone
-- column fee_usd_p50: the median fee in US dollars in that hour
-- column fee_usd_p90: nine times of ten it was not above this
-- column saves_vs_now_usd: what waiting for that hour saves against now, by the median
-- column sample_count: how many samples that is based on: few say little
SELECT cheapest_rank, coin_id, iso_dow, local_hour, fee_usd_p50, fee_usd_p90, saves_vs_now_usd, sample_count
FROM fee_by_hour_of_week('Europe/Berlin')
WHERE coin = 'USDT' AND chain = 'ETH'
ORDER BY coin_id, cheapest_rank NULLS LAST, iso_dow, local_hour;
