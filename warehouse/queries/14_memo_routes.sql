-- question: On which routes is money lost when the receiver's memo or tag is forgotten?
-- grain: one row per coin and chain that needs a memo
-- key: coin_id, chain
-- consumers: treasury, operations
-- edit: nothing; add a coin to the WHERE clause if you like
-- column coin_id: CCPayment's id of the coin
-- column coin: its symbol
-- column chain: the chain
-- column cost_rank: 1 when it is also the cheapest route of its coin; NULL when it is excluded
-- column fee_usd: what a payout costs in US dollars
-- column reason_excluded: why the route is excluded now
SELECT coin_id, coin, chain, cost_rank, fee_usd, reason_excluded
FROM payout_route_ranking
WHERE needs_memo
ORDER BY coin, coin_id, chain;
