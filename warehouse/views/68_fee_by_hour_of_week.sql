-- view: fee_by_hour_of_week
-- grain: one row per pair and hour of the week in UTC, over the last eight weeks; the macro of that name takes a time zone
-- key: coin_id, chain, iso_dow, local_hour
-- consumers: treasury, the board
-- example: SELECT iso_dow, local_hour, fee_usd_p50 FROM fee_by_hour_of_week WHERE coin = 'USDT' AND chain = 'ETH' ORDER BY cheapest_rank
-- column coin_id: CCPayment's id of the coin that is paid out
-- column coin: its symbol
-- column chain: the chain it is paid out on
-- column iso_dow: day of the week: 1 is Monday, 7 Sunday
-- column local_hour: hour of the day, 0 to 23
-- column sample_count: how many times the fee was known at the beginning of such an hour: at most eight
-- column fee_usd_p10: a tenth of the samples were at or below it
-- column fee_usd_p50: half of them
-- column fee_usd_p90: nine tenths of them
-- column cheapest_rank: 1 is the hour with the lowest median of the pair
-- column saves_vs_now_usd: what the median is lower than the fee now; NULL without a fee now
CREATE OR REPLACE VIEW fee_by_hour_of_week AS
FROM fee_by_hour_of_week('UTC');
