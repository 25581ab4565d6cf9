-- question: Which coins are affected by a maintenance now, and on which chain can each still be paid out?
-- grain: one row per chain in maintenance and coin that lives on it
-- key: chain, coin_id
-- consumers: operations
-- edit: nothing
-- column chain: the chain in maintenance
-- column started_after: the maintenance began after this moment
-- column started_by: and at the latest at this one
-- column coin_id: CCPayment's id of the coin; NULL when none is listed there
-- column coin: its symbol
-- column next_best_chain: the cheapest chain that is usable now; NULL when there is none
-- column next_best_usd: what a payout costs there in US dollars
SELECT
    s.chain,
    s.started_after,
    s.started_by,
    n.coin_id,
    n.coin,
    min(r.chain) AS next_best_chain,
    min(r.fee_usd) AS next_best_usd
FROM chain_status_now AS s
LEFT JOIN coin_network_now AS n ON n.chain = s.chain
LEFT JOIN payout_route_ranking AS r ON r.coin_id = n.coin_id AND r.cost_rank = 1
WHERE s.status = 'maintenance'
GROUP BY s.chain, s.started_after, s.started_by, n.coin_id, n.coin
ORDER BY s.started_by DESC, s.chain, n.coin, n.coin_id;
