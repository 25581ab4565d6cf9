-- question: How many units of each fiat is a US dollar worth now?
-- grain: one row per fiat that is listed now
-- key: fiat
-- consumers: the board
SELECT fiat, usd_rate, observed_at
FROM fiat_rate_now
QUALIFY row_number() OVER (PARTITION BY fiat ORDER BY fiat_id) = 1
ORDER BY fiat
