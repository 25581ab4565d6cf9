-- question: Is anything that we look at older than it should be?
-- grain: one row per view that shows the present
-- key: source
-- consumers: operations, data engineers
-- edit: nothing
-- column source: the view
-- column row_count: its rows; 0 when it has nothing to show
-- column stale_count: rows whose last answer is older than three cadences of their feed
-- column oldest_at: when the oldest row was answered
-- column newest_at: when the newest row was answered
SELECT 'chain_status_now' AS source, count(*) AS row_count, count(*) FILTER (WHERE is_stale) AS stale_count,
    min(observed_at) AS oldest_at, max(observed_at) AS newest_at
FROM chain_status_now
UNION ALL
SELECT 'withdraw_fee_now', count(*), count(*) FILTER (WHERE is_stale), min(observed_at), max(observed_at) FROM withdraw_fee_now
UNION ALL
SELECT 'coin_price_now', count(*), count(*) FILTER (WHERE is_stale), min(observed_at), max(observed_at) FROM coin_price_now
UNION ALL
SELECT 'coin_network_now', count(*), count(*) FILTER (WHERE is_stale), min(observed_at), max(observed_at) FROM coin_network_now
UNION ALL
SELECT 'swap_coin_now', count(*), count(*) FILTER (WHERE is_stale), min(observed_at), max(observed_at) FROM swap_coin_now
UNION ALL
SELECT 'fiat_rate_now', count(*), count(*) FILTER (WHERE is_stale), min(observed_at), max(observed_at) FROM fiat_rate_now
UNION ALL
SELECT 'address_validity_now', count(*), count(*) FILTER (WHERE is_stale), min(observed_at), max(observed_at) FROM address_validity_now
UNION ALL
SELECT 'cwallet_user_now', count(*), count(*) FILTER (WHERE is_stale), min(observed_at), max(observed_at) FROM cwallet_user_now
ORDER BY stale_count DESC, source;
