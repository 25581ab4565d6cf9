-- view: withdrawal_cost_monthly
-- grain: one row per month and coin and chain with imported withdrawals; in a month without any, one row per coin with an estimate of one payout
-- key: month, coin_id, chain
-- consumers: treasury
-- example: SELECT month, coin, chain, withdrawal_count, fee_usd, avoidable_usd, is_estimate FROM withdrawal_cost_monthly ORDER BY month DESC, fee_usd DESC
-- column month: first day of the month in the time zone of ccpay.toml ([board], timezone)
-- column coin_id: CCPayment's id of the coin that was paid out
-- column coin: its symbol
-- column chain: the chain it was paid out on; in an estimate the coin's default route, without one the route with the lowest mean fee in that month
-- column withdrawal_count: imported withdrawals; NULL in a month without any: the row then estimates one payout
-- column payout_amount: what they paid out, in units of the coin; NULL in an estimate of one payout, or beyond 20 digits
-- column fee_usd: what they cost in US dollars, each fee at the price known at its moment: the recorded fee, or, where the file has none, the fee quoted at that moment; what cannot be valued is left out (valued_count). In a month without withdrawals the time-weighted mean of the quoted fee, at the mean price of the fee coin
-- column avg_fee_usd: mean cost of those that were valued, rounded to 12 places
-- column cheapest_possible_usd: what the compared ones (compared_count) would have cost, each on the route of its coin that was cheapest at its moment among those that were usable and took the amount; never more than was paid. In a month without withdrawals the lowest mean fee of the coin's routes
-- column avoidable_usd: what the compared ones cost more than that
-- column is_estimate: whether fee_usd is anything else than the recorded fees of all withdrawals
-- column valued_count: withdrawals that are in fee_usd: their fee and its price were known at the time
-- column compared_count: those of them that also have a cheapest_possible_usd: the routes of their coin were known at the time
CREATE OR REPLACE VIEW withdrawal_cost_monthly AS
SELECT
    month,
    coin_id,
    coin,
    chain,
    withdrawal_count,
    payout_amount,
    fee AS fee_usd,
    avg_fee AS avg_fee_usd,
    cheapest_possible AS cheapest_possible_usd,
    avoidable AS avoidable_usd,
    is_estimate,
    valued_count,
    compared_count
FROM withdrawal_cost_in('USD');
