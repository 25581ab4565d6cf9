-- question: Which fees jumped in the last 7 days, by how much, and was it the fee or the price?
-- grain: one row per spike of a pair
-- key: coin_id, chain, opened_at
-- consumers: treasury, operations
-- edit: the days
-- column coin_id: CCPayment's id of the coin
-- column coin: its symbol
-- column chain: the chain
-- column opened_at: when the fee jumped
-- column closed_at: when it was back; NULL while it lasts
-- column baseline_usd: what was usual before, in US dollars
-- column peak_usd: the highest since, in US dollars
-- column ratio: peak / baseline
-- column cause: fee, price or both
SELECT coin_id, coin, chain, opened_at, closed_at, baseline_usd, peak_usd, ratio, cause
FROM fee_spike_event
WHERE opened_at > now() - INTERVAL 7 DAY OR closed_at IS NULL
ORDER BY ratio DESC NULLS LAST, coin_id, chain, opened_at;
