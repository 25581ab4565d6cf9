-- view: fee_spike_event
-- grain: one row per pair and time in which its fee was unusually high in US dollars
-- key: coin_id, chain, opened_at
-- consumers: analysts, the alert engine, the board
-- example: SELECT opened_at, closed_at, coin, chain, peak_usd, ratio, cause FROM fee_spike_event ORDER BY opened_at DESC
-- column coin_id: CCPayment's id of the coin that is paid out
-- column coin: its symbol
-- column chain: the chain it is paid out on
-- column opened_at: the second poll in a row above 2 x baseline_usd, by at least half a dollar, and above 1.5 x the 95th percentile of the same hour of the week (UTC) in the 28 days before, when 20 polls of it are known; each fee is worth what its coin's price was at that poll; a million dollars and more, and more than 18 digits, are left out
-- column closed_at: the first poll after it below 1.2 x the baseline of its own hour, or not above it; NULL while there was none. Polls without an answer neither open nor close
-- column peak_usd: the highest fee from the poll before opened_at to the close
-- column baseline_usd: what was usual when it opened: the median of the fees at full hours of 7 days, 20 at least, without those above twice the median of the 7 days before them
-- column ratio: peak_usd / baseline_usd; NULL when that is 0
-- column cause: price when the fee in its own coin was below 1.2 x its median; fee when the coin's price was; else both
-- column baseline_sample_count: polls of the same hour of the week, or, where there were less than 20, the full hours that baseline_usd is based on
CREATE OR REPLACE VIEW fee_spike_event AS
FROM store.fee_spikes_since(make_timestamptz(0), NULL);
