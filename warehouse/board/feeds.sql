-- question: How fresh is each feed, and how many of its planned polls were answered today and yesterday (UTC)?
-- grain: one row per feed that was ever polled
-- key: feed
-- consumers: the board, status.json
WITH answered AS (
    SELECT 'chains' AS feed, max(observed_at) AS observed_at FROM chain_status_now
    UNION ALL
    SELECT 'fiats', max(observed_at) FROM fiat_rate_now
    UNION ALL
    SELECT 'coins', max(observed_at) FROM swap_coin_now
    UNION ALL
    SELECT 'networks', max(observed_at) FROM coin_network_now
    UNION ALL
    SELECT 'prices', max(observed_at) FROM coin_price_now
    UNION ALL
    SELECT 'fees', max(observed_at) FROM withdraw_fee_now
    UNION ALL
    SELECT 'watchlist', max(observed_at) FROM address_validity_now
),

-- coverage_pct is slots with an answer in percent of the planned ones, so this is their number.
slots AS (
    SELECT *, round(coverage_pct * planned / 100)::BIGINT AS received
    FROM poll_coverage
    WHERE day >= ($now AT TIME ZONE 'UTC')::DATE - 1
)

SELECT
    c.feed,
    any_value(a.observed_at) AS observed_at,
    sum(c.planned) FILTER (WHERE is_today)::BIGINT AS planned_today,
    sum(c.received) FILTER (WHERE is_today)::BIGINT AS received_today,
    sum(c.planned) FILTER (WHERE NOT is_today)::BIGINT AS planned_yesterday,
    sum(c.received) FILTER (WHERE NOT is_today)::BIGINT AS received_yesterday,
    sum(c.partial) FILTER (WHERE is_today)::BIGINT AS partial_today,
    sum(c.failed) FILTER (WHERE is_today)::BIGINT AS failed_today,
    sum(c.skipped) FILTER (WHERE is_today)::BIGINT AS skipped_today,
    max(c.top_api_code) FILTER (WHERE is_today) AS top_api_code_today
FROM (SELECT *, day = ($now AT TIME ZONE 'UTC')::DATE AS is_today FROM slots) AS c
LEFT JOIN answered AS a ON a.feed = c.feed
GROUP BY c.feed
ORDER BY list_position(['chains', 'fees', 'prices', 'fiats', 'networks', 'coins', 'watchlist'], c.feed)
