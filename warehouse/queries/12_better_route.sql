-- question: For which coins is there a cheaper usable route now than our default route?
-- grain: one row per coin with a default route (ccpay.toml) that is not the cheapest; one per route at a tie
-- key: coin_id, chain
-- consumers: treasury
-- edit: the US dollars from which a change is worth it
-- column coin_id: CCPayment's id of the coin
-- column coin: its symbol
-- column chain: the cheapest usable chain
-- column fee_usd: what a payout costs there in US dollars
-- column saves_vs_default_usd: what it costs less than on the default route
-- column needs_memo: whether the receiver's memo or tag must be given there
-- column min_withdraw_amount: smallest withdrawal there, in units of the coin
SELECT coin_id, coin, chain, fee_usd, saves_vs_default_usd, needs_memo, min_withdraw_amount
FROM payout_route_ranking
WHERE cost_rank = 1 AND saves_vs_default_usd > 0.01
ORDER BY saves_vs_default_usd DESC, coin_id, chain;
