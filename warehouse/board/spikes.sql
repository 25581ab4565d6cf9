-- question: Which fees were unusually high in the last 7 days?
-- grain: one row per pair and time in which its fee was unusually high
-- key: coin_id, chain, opened_at
-- consumers: the board
SELECT coin_id, coin, chain, opened_at, closed_at, peak_usd, baseline_usd, ratio, cause
FROM store.fee_spikes_since($now - 8 * INTERVAL 24 HOUR, $suspects) -- all coins
FROM fee_spike_event -- one coin
WHERE opened_at > $now - 7 * INTERVAL 24 HOUR
ORDER BY opened_at DESC, coin_id, chain
