-- question: What does a payout of 500 USDT cost on each chain now, in EUR?
-- grain: one row per chain that the coin can be paid out on
-- key: coin_id, chain
-- consumers: treasury
-- edit: coin and amount in payout_route, the fiat below
-- column cost_rank: 1 is the cheapest that can take the amount; NULL when the route is excluded
-- column coin_id: CCPayment's id of the coin; symbols need not be unique
-- column chain: the chain
-- column fee_usd: the network fee in US dollars
-- column fee_fiat: the same in the fiat, exact, rounded to 4 places; NULL without a rate, and where one of the two has more than 8 digits before the point
-- column needs_memo: whether the receiver's memo or tag must be given
-- column reason_excluded: why the route cannot be used, or its cost is not known
-- column data_age_s: seconds since the fee was answered
SELECT
    r.cost_rank,
    r.coin_id,
    r.chain,
    r.fee_usd,
    TRY(round(r.fee_usd::DECIMAL(20, 12) * f.usd_rate, 4)) AS fee_fiat,
    r.needs_memo,
    r.reason_excluded,
    r.data_age_s
FROM payout_route('USDT', 500) AS r
LEFT JOIN fiat_rate_now AS f ON f.fiat = 'EUR'
ORDER BY r.coin_id, r.cost_rank NULLS LAST, r.chain;
