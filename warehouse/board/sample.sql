-- question: What was each fee, and what was it worth, when an hour began? Only hours at which fee and price were known.
-- grain: one row per pair, fee coin and full hour of the last 28 days
-- key: coin_id, chain, fee_coin_id, hour_no
-- consumers: fees_hourly.sql, fees_daily.sql, hours.sql, suspects.sql: what they call sample
-- Amounts are floats here, as they are for charts.
WITH polled AS (
    -- Between two polls that are at most three cadences apart; in other time nobody looked.
    SELECT h.hour_no, make_timestamptz(h.hour_no * 3600000000) AS hour
    FROM (SELECT unnest(range(epoch($now)::BIGINT // 3600 - 671, epoch($now)::BIGINT // 3600 + 1)) AS hour_no) AS h
    ASOF JOIN (SELECT at_us, max(ahead_us) AS ahead_us FROM store.fee_clock GROUP BY at_us) AS c
        ON c.at_us <= h.hour_no * 3600000000
    WHERE h.hour_no * 3600000000 < c.at_us + c.ahead_us
),

price AS (
    SELECT g.coin_id, g.hour_no, p.price_usd::DOUBLE AS price_usd
    FROM (
        SELECT c.coin_id, h.hour_no, h.hour
        FROM polled AS h
        CROSS JOIN (SELECT DISTINCT coin_id FROM coin_price_history) AS c
    ) AS g
    ASOF JOIN coin_price_history AS p ON p.coin_id = g.coin_id AND p.valid_from <= g.hour
    WHERE p.valid_to IS NULL OR p.valid_to > g.hour
),

fee AS (
    SELECT *, unnest(range(
        ceil(epoch(greatest(valid_from, $now - 28 * INTERVAL 24 HOUR)) / 3600)::BIGINT,
        ceil(epoch(coalesce(valid_to, $now)) / 3600)::BIGINT
    )) AS hour_no
    FROM store.withdraw_fee_span -- all coins
    FROM withdraw_fee_history -- one coin
    WHERE state = 'ok'
        AND unknown_reason IS NULL -- all coins
        AND coin_id = $coin -- one coin
        AND (valid_to IS NULL OR valid_to > $now - 28 * INTERVAL 24 HOUR)
)

SELECT
    f.entity_id, -- all coins
    f.coin_id, -- one coin
    f.chain, -- one coin
    f.fee_coin_id,
    f.hour_no,
    f.fee_amount::DOUBLE AS fee_amount,
    f.fee_amount::DOUBLE * p.price_usd AS fee_usd
FROM fee AS f
JOIN price AS p ON p.coin_id = f.fee_coin_id AND p.hour_no = f.hour_no
