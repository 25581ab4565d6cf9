-- view: withdraw_fee_daily
-- grain: one row per pair, UTC day and fee coin, from the first to the last day in which something was known of the pair; a day between them in which no fee was known has one row without a fee coin
-- key: coin_id, chain, day, fee_coin_id
-- consumers: analysts, the board
-- example: SELECT day, open, high, low, close, average_usd, unknown_s FROM withdraw_fee_daily WHERE coin = 'USDT' AND chain = 'TRX' ORDER BY day
-- column day: UTC day, in whatever time zone the session is
-- column coin_id: CCPayment's id of the coin that is paid out
-- column coin: its symbol
-- column chain: the chain it is paid out on
-- column fee_coin_id: id of the coin in which the fee was charged; NULL when no fee was known
-- column fee_coin: symbol of that coin
-- column open: the first fee that was known in the day, in units of the fee coin; it may have been answered before
-- column high: the highest
-- column low: the lowest
-- column close: the last one; a new fee counts as soon as the poll after the one that answered it has come
-- column average: mean fee, weighted by the time for which each was known, rounded half up to 18 places
-- column average_usd: the same of what each fee was worth in US dollars when it was answered, rounded to 12 places, over the time for which that was known (usd_s); fees of 20 digits of dollars are left out
-- column ok_s: whole seconds for which a fee in this fee coin was known: between two polls that are at most three cadences apart
-- column usd_s: seconds of those for which average_usd speaks
-- column refused_s: seconds for which the API refused to quote, in every row of that day
-- column unknown_s: all other seconds of the day, 86400 less ok_s of all its fee coins and refused_s: no answer, no poll for more than three cadences, not listed, after the last poll; in every row of that day
CREATE OR REPLACE VIEW withdraw_fee_daily AS
SELECT
    DATE '1970-01-01' + bucket::INTEGER AS day,
    coin_id,
    coin,
    chain,
    fee_coin_id,
    fee_coin,
    open,
    high,
    low,
    close,
    average,
    average_usd,
    coalesce(ok_s, 0) AS ok_s,
    coalesce(usd_s, 0) AS usd_s,
    coalesce(refused_s, 0)::BIGINT AS refused_s,
    (86400 - coalesce(all_ok_s + refused_s, 0))::BIGINT AS unknown_s
FROM store.withdraw_fee_rolled(86400000000);
