-- question: Below which fee was each pair nine tenths of the time, over 90 days?
-- grain: one row per pair and fee coin
-- key: coin_id, chain, fee_coin_id
-- consumers: treasury
-- edit: the days; for another percentile than the 90th, all places with 9 of 10
-- column coin_id: CCPayment's id of the coin
-- column coin: its symbol
-- column chain: the chain
-- column fee_coin_id: id of the coin that the fee is charged in; symbols need not be unique
-- column fee_coin: its symbol
-- column fee_p90: the smallest fee that was not exceeded for at least nine tenths of the known time, exact
-- column fee_max: the largest fee of that time
-- column known_days: days of known fees that this is based on, rounded to 2 places
-- Weighted by time, as a fee that held for a week counts more than one that held for five minutes. The
-- fees are first counted in classes 2 % wide, so that only the fees of one class per pair are sorted.
WITH fee AS (
    SELECT
        coin_id,
        coin,
        chain,
        fee_coin_id,
        fee_coin,
        fee_amount,
        CASE WHEN fee_amount > 0 THEN floor(ln(fee_amount::DOUBLE) * 50)::INTEGER ELSE -1000000 END AS class,
        epoch_us(coalesce(valid_to, (SELECT max(observed_at) FROM withdraw_fee_now)))
        - epoch_us(greatest(valid_from, now() - 90 * INTERVAL 24 HOUR)) AS held_us
    FROM withdraw_fee_history
    WHERE state = 'ok' AND (valid_to IS NULL OR valid_to > now() - 90 * INTERVAL 24 HOUR)
),

counted AS (
    SELECT
        coin_id,
        coin,
        chain,
        fee_coin_id,
        any_value(fee_coin) AS fee_coin,
        class,
        max(fee_amount) AS fee_max,
        sum(held_us) AS held_us
    FROM fee
    WHERE held_us > 0
    GROUP BY coin_id, coin, chain, fee_coin_id, class
),

cumulated AS (
    SELECT
        *,
        sum(held_us) OVER (PARTITION BY coin_id, chain, fee_coin_id ORDER BY class) AS up_to_us,
        sum(held_us) OVER (PARTITION BY coin_id, chain, fee_coin_id) AS total_us,
        max(fee_max) OVER (PARTITION BY coin_id, chain, fee_coin_id) AS overall_max
    FROM counted
),

-- The class in which nine tenths are reached.
target AS (
    SELECT * EXCLUDE (fee_max, held_us), up_to_us - held_us AS below_us
    FROM cumulated
    WHERE 10 * up_to_us >= 9 * total_us AND 10 * (up_to_us - held_us) < 9 * total_us
),

inside AS (
    SELECT
        t.*,
        f.fee_amount,
        t.below_us + sum(f.held_us) OVER (
            PARTITION BY f.coin_id, f.chain, f.fee_coin_id ORDER BY f.fee_amount
        ) AS reached_us
    FROM target AS t
    JOIN fee AS f
        ON f.coin_id = t.coin_id
        AND f.chain = t.chain
        AND f.fee_coin_id = t.fee_coin_id
        AND f.class = t.class
    WHERE f.held_us > 0
)

SELECT
    coin_id,
    coin,
    chain,
    fee_coin_id,
    any_value(fee_coin) AS fee_coin,
    min(fee_amount) AS fee_p90,
    any_value(overall_max) AS fee_max,
    round(any_value(total_us) / 86400000000, 2) AS known_days
FROM inside
WHERE 10 * reached_us >= 9 * total_us
GROUP BY coin_id, coin, chain, fee_coin_id
ORDER BY coin, coin_id, chain, fee_coin_id;
