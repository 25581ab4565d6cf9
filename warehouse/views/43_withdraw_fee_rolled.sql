-- inner: store.withdraw_fee_rolled
-- grain: a table macro: one row per pair, bucket of time (of length_us microseconds, counted from 1970) and fee coin, from the first to the last bucket in which something was known of the pair; without a fee coin where no fee was known
-- key: coin_id, chain, bucket, fee_coin_id
-- consumers: withdraw_fee_daily, withdraw_fee_hourly
-- example: SELECT coin, chain, bucket, average FROM store.withdraw_fee_rolled(3600000000)
-- A fee counts for the time in which it is known (store.fee_clock), so the newest counts as soon as
-- the poll after it has come. No window over the history, so that a filter on a pair reaches the store.
CREATE OR REPLACE MACRO store.withdraw_fee_rolled(length_us) AS TABLE
WITH reading AS (
    SELECT at_us, max(known_us) AS known_us, max(ahead_us) AS ahead_us
    FROM store.fee_clock
    GROUP BY at_us
),

-- The clock as it stands when a bucket begins, and when it ends.
edge AS (
    SELECT
        bucket,
        begin_us,
        lead(begin_us, 1, begin_us) OVER (ORDER BY bucket) AS end_us
    FROM (
        SELECT b.bucket, coalesce(r.known_us + least(b.bucket * length_us - r.at_us, r.ahead_us), 0) AS begin_us
        FROM (
            SELECT unnest(range(min(at_us) // length_us, max(at_us) // length_us + 2)) AS bucket FROM reading
        ) AS b
        ASOF LEFT JOIN reading AS r ON r.at_us <= b.bucket * length_us
    )
),

-- Amounts of less than 19 digits are weighted as they are stored, digits with digits, in one sum for
-- each scale: taking each amount apart, as the few large ones need, takes thirty times as long.
timed AS (
    SELECT
        s.*,
        TRY_CAST(fee_amount_digits AS DECIMAL(18, 0)) AS small_fee,
        CASE WHEN small_fee IS NULL THEN fee_amount END AS large_fee,
        TRY_CAST(fee_usd AS DECIMAL(18, 12)) AS small_usd,
        CASE WHEN small_usd IS NULL THEN TRY_CAST(fee_usd AS DECIMAL(38, 18)) END AS large_usd,
        f.known_us AS from_us,
        t.known_us AS to_us,
        f.at_us // length_us AS first_bucket,
        (t.at_us - 1) // length_us AS last_bucket
    FROM store.withdraw_fee_valued AS s
    JOIN store.fee_clock AS f ON f.poll_no = s.from_no
    JOIN store.fee_clock AS t ON t.poll_no = s.to_no
    WHERE f.at_us < t.at_us
),

piece AS (
    SELECT
        p.*,
        greatest(p.from_us, e.begin_us) AS since_us,
        least(p.to_us, e.end_us) - greatest(p.from_us, e.begin_us) AS held_us
    FROM (SELECT *, unnest(range(first_bucket, last_bucket + 1)) AS bucket FROM timed) AS p
    JOIN edge AS e USING (bucket)
    WHERE held_us > 0
),

by_scale AS (
    SELECT
        entity_id, coin_id, coin, chain, bucket, fee_coin_id, fee_amount_scale AS scale,
        any_value(fee_coin) AS fee_coin,
        arg_min(fee_amount, since_us) AS open,
        min(since_us) AS open_us,
        max(fee_amount) AS high,
        min(fee_amount) AS low,
        arg_max(fee_amount, since_us) AS close,
        max(since_us) AS close_us,
        sum(small_fee * held_us::DECIMAL(19, 0)) AS small,
        sum(store.wholes(large_fee) * held_us) AS wholes,
        sum(store.parts(large_fee) * held_us) AS parts,
        sum(small_usd * held_us::DECIMAL(19, 0))::DECIMAL(38, 18) AS usd_small,
        sum(store.wholes(large_usd) * held_us) AS usd_wholes,
        sum(store.parts(large_usd) * held_us) AS usd_parts,
        sum(CASE WHEN state = 'ok' THEN held_us END) AS ok_us,
        sum(CASE WHEN state = 'refused' THEN held_us END) AS refused_us,
        sum(CASE WHEN small_usd IS NOT NULL OR large_usd IS NOT NULL THEN held_us END) AS usd_us
    FROM piece
    GROUP BY ALL
),

summed AS (
    SELECT
        entity_id, coin_id, coin, chain, bucket, fee_coin_id,
        any_value(fee_coin) AS fee_coin,
        arg_min(open, open_us) AS open,
        max(high) AS high,
        min(low) AS low,
        arg_max(close, close_us) AS close,
        coalesce(sum(ok_us), 0)::BIGINT AS ok_us,
        coalesce(sum(refused_us), 0)::BIGINT AS refused_us,
        coalesce(sum(usd_us), 0)::BIGINT AS usd_us,
        store.mean_of_parts(
            coalesce(sum(small::HUGEINT // store.power_of_ten(scale)), 0) + coalesce(sum(wholes), 0),
            coalesce(sum(small::HUGEINT % store.power_of_ten(scale) * store.power_of_ten(18 - scale)), 0)
            + coalesce(sum(parts), 0),
            nullif(sum(ok_us), 0)::HUGEINT
        ) AS average,
        round(store.mean_of_parts(
            coalesce(sum(store.wholes(usd_small)), 0) + coalesce(sum(usd_wholes), 0),
            coalesce(sum(store.parts(usd_small)), 0) + coalesce(sum(usd_parts), 0),
            nullif(sum(usd_us), 0)::HUGEINT
        ), 12)::DECIMAL(38, 12) AS average_usd
    FROM by_scale
    GROUP BY ALL
),

-- A refusal stands beside what was known in the same bucket.
compared AS (
    SELECT
        * EXCLUDE (ok_us, usd_us, refused_us),
        ok_us // 1000000 AS ok_s,
        usd_us // 1000000 AS usd_s,
        sum(refused_us) OVER bucket // 1000000 AS refused_s,
        sum(ok_us // 1000000) OVER bucket AS all_ok_s
    FROM summed
    WINDOW bucket AS (PARTITION BY entity_id, coin_id, coin, chain, bucket)
    QUALIFY fee_coin_id IS NOT NULL OR count(fee_coin_id) OVER bucket = 0
),

-- The last row of a bucket is followed by those in which nothing was known.
followed AS (
    SELECT *, lead(bucket, 1, bucket + 1) OVER (
        PARTITION BY entity_id, coin_id, coin, chain ORDER BY bucket, fee_coin_id
    ) AS next_bucket
    FROM compared
),

filled AS (
    SELECT
        * EXCLUDE (bucket, next_bucket),
        bucket AS own_bucket,
        unnest(range(bucket, greatest(next_bucket, bucket + 1))) AS bucket
    FROM followed
)

SELECT
    coin_id,
    coin,
    chain,
    bucket,
    CASE WHEN bucket = own_bucket THEN COLUMNS(* EXCLUDE (entity_id, coin_id, coin, chain, bucket, own_bucket)) END
FROM filled;
