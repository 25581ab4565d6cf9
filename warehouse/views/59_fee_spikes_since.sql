-- inner: store.fee_spikes_since
-- grain: a table macro: one row per pair and time in which its fee is unusually high, among the polls from `since` on
-- key: coin_id, chain, opened_at
-- consumers: fee_spike_event, the alert engine, the board
-- example: FROM store.fee_spikes_since(now() - INTERVAL 1 DAY, NULL)
-- `pairs` are entity_ids to look at; NULL is all.
-- High is above twice the base of the hour, above 1.5 times the 95th percentile of the calm polls of
-- the same hour of the week in the 28 days before (when there are 20 of them), and half a dollar above
-- the base. An event that opened before `since` is dated by it. An event opens with the second high poll in a row, and closes with the first below 1.2
-- times the base, or that has no base any more. Polls without an answer do neither.
CREATE OR REPLACE MACRO store.fee_spikes_since(since, pairs) AS TABLE
WITH baseline AS MATERIALIZED (FROM store.fee_baselines(since - INTERVAL 28 DAY, pairs)),

-- Pairs that may have been high: the highest fee of an hour at the coin's highest price of that hour.
price_hour AS (
    SELECT coin_id, hour, max(price) AS price
    FROM (
        SELECT coin_id, price_usd::DOUBLE AS price, unnest(range(
            epoch_us(greatest(valid_from, since)) // 3600000000,
            epoch_us(least(valid_to, now())) // 3600000000 + 1
        )) AS hour
        FROM store.known_price
        WHERE valid_to > since
    )
    GROUP BY coin_id, hour
),

fee_hour AS (
    SELECT entity_id, fee_coin_id, hour, max(fee) AS fee
    FROM (
        SELECT s.entity_id, s.fee_coin_id, s.fee_amount::DOUBLE AS fee, unnest(range(
            epoch_us(greatest(s.valid_from, since)) // 3600000000,
            epoch_us(coalesce(s.valid_to, d.good_at)) // 3600000000 + 1
        )) AS hour
        FROM store.withdraw_fee_span AS s
        JOIN store.fee_pairs(pairs) USING (entity_id)
        JOIN store.dataset_now AS d ON d.dataset = 'withdraw_fee'
        WHERE s.unknown_reason IS NULL AND s.state = 'ok' AND (s.valid_to IS NULL OR s.valid_to > since)
    )
    GROUP BY entity_id, fee_coin_id, hour
),

candidate AS (
    SELECT DISTINCT f.entity_id
    FROM fee_hour AS f
    JOIN price_hour AS p ON p.coin_id = f.fee_coin_id AND p.hour = f.hour
    ASOF JOIN baseline AS b ON b.entity_id = f.entity_id AND b.hour <= f.hour
    WHERE f.fee * p.price >= 1.99e-12 * b.base
),

stretch AS (
    SELECT s.*, e.coin_id, coin.coin, e.chain
    FROM store.withdraw_fee_span AS s
    JOIN candidate USING (entity_id)
    JOIN store.withdraw_fee_entity AS e USING (entity_id)
    LEFT JOIN main.coin USING (coin_id)
    WHERE s.unknown_reason IS NULL AND s.state = 'ok'
        AND (s.valid_to IS NULL OR s.valid_to > since - INTERVAL 28 DAY)
),

-- The stretch of each pair that a poll is in: an ASOF join, several times as fast as a range.
polled AS (
    SELECT s.*, p.poll_no, p.observed_at, epoch_us(p.observed_at) // 3600000000 AS hour
    FROM (
        SELECT c.entity_id, l.poll_no, l.observed_at
        FROM candidate AS c
        CROSS JOIN store.ledger AS l
        WHERE l.feed = 'fees' AND l.outcome IN ('ok', 'partial') AND l.observed_at >= since - INTERVAL 28 DAY
    ) AS p
    ASOF JOIN stretch AS s ON s.entity_id = p.entity_id AND s.from_no <= p.poll_no
    WHERE p.poll_no < s.to_no
),

valued AS (
    SELECT
        o.*,
        store.known_usd(o.fee_amount_digits, o.fee_amount_scale, p.price_usd_digits, p.price_usd_scale) AS usd
    FROM polled AS o
    ASOF JOIN store.known_price AS p ON p.coin_id = o.fee_coin_id AND p.valid_from <= o.observed_at
    WHERE p.valid_to > o.observed_at AND usd IS NOT NULL
),

observed AS (
    SELECT
        v.*,
        b.hour AS base_hour,
        b.base,
        b.sample_count,
        b.plain IS NULL OR v.usd <= 2 * b.plain AS is_calm,
        coalesce(v.usd > 2 * b.base AND v.usd >= b.base + 500000000000, false) AS is_above
    FROM valued AS v
    ASOF LEFT JOIN baseline AS b ON b.entity_id = v.entity_id AND b.hour <= v.hour
),

weekly AS (
    SELECT h.entity_id, h.hour, quantile_disc(o.usd, 0.95) AS p95, count(*) AS poll_count
    FROM (
        SELECT DISTINCT entity_id, hour, unnest([168, 336, 504, 672]) AS hours_before
        FROM observed
        WHERE is_above AND observed_at >= since
    ) AS h
    JOIN observed AS o ON o.entity_id = h.entity_id AND o.hour = h.hour - h.hours_before
    WHERE o.is_calm
    GROUP BY h.entity_id, h.hour
),

ruled AS (
    SELECT
        o.*,
        coalesce(w.poll_count, 0) >= 20 AS is_weekly,
        w.poll_count,
        o.is_above AND (NOT is_weekly OR 2 * o.usd > 3 * w.p95) AS is_high,
        o.base IS NULL OR 5 * o.usd < 6 * o.base OR o.usd <= o.base AS is_clear
    FROM observed AS o
    LEFT JOIN weekly AS w USING (entity_id, hour)
    WHERE o.observed_at >= since
),

numbered AS (
    SELECT
        *,
        is_high AND coalesce(lag(is_high) OVER pair, false) AS opens,
        lag(observed_at) OVER pair AS before_at,
        count(*) FILTER (WHERE is_clear) OVER pair AS number
    FROM ruled
    WINDOW pair AS (PARTITION BY entity_id ORDER BY poll_no)
),

opening AS (
    SELECT *
    FROM numbered
    WHERE opens
    QUALIFY row_number() OVER (PARTITION BY entity_id, number ORDER BY poll_no) = 1
),

lasted AS (
    SELECT
        o.entity_id,
        o.number,
        max(n.usd) FILTER (WHERE n.number = o.number) AS peak,
        min(n.observed_at) FILTER (WHERE n.number > o.number) AS closed_at
    FROM opening AS o
    JOIN numbered AS n ON n.entity_id = o.entity_id AND n.number >= o.number AND n.observed_at >= o.before_at
    GROUP BY o.entity_id, o.number
),

-- What the fee usually is in its own coin.
usual AS (
    SELECT o.entity_id, o.number, quantile_disc(b.fee_amount, 0.5) AS fee_amount
    FROM opening AS o
    JOIN baseline AS b ON b.entity_id = o.entity_id AND b.fee_coin_id = o.fee_coin_id
        AND b.hour > o.base_hour - 168 AND b.hour <= o.base_hour
    WHERE b.is_calm
    GROUP BY o.entity_id, o.number
)

SELECT
    o.coin_id,
    o.coin,
    o.chain,
    o.observed_at AS opened_at,
    l.closed_at,
    store.units_to_usd(l.peak::HUGEINT) AS peak_usd,
    store.units_to_usd(o.base::HUGEINT) AS baseline_usd,
    round(l.peak / nullif(o.base, 0), 6) AS ratio,
    CASE
        WHEN u.fee_amount IS NULL OR u.fee_amount = 0 THEN 'fee'
        WHEN o.fee_amount::DOUBLE / u.fee_amount::DOUBLE < 1.2 THEN 'price'
        WHEN (o.usd / nullif(o.base, 0)) / (o.fee_amount::DOUBLE / u.fee_amount::DOUBLE) < 1.2 THEN 'fee'
        ELSE 'both'
    END AS cause,
    CASE WHEN o.is_weekly THEN o.poll_count ELSE o.sample_count END AS baseline_sample_count
FROM opening AS o
JOIN lasted AS l USING (entity_id, number)
LEFT JOIN usual AS u USING (entity_id, number);
