-- macro: withdraw_fee_quantile(q)
-- grain: a table macro: one row per pair and fee coin, with the smallest fee that was not exceeded for the share q of its known time, exact, over the whole history
-- key: coin_id, chain, fee_coin_id
-- consumers: treasury, the cookbook
-- example: SELECT coin, chain, fee_amount FROM withdraw_fee_quantile(0.9) ORDER BY coin, chain
-- column coin_id: CCPayment's id of the coin that is paid out
-- column coin: its symbol
-- column chain: the chain it is paid out on
-- column fee_coin_id: id of the coin in which the fee is charged
-- column fee_coin: symbol of that coin
-- column fee_amount: the quantile, one of the fees that were answered
-- column known_s: seconds of known fees that it is based on; a fee that still holds counts up to its last confirmation
-- Weighted by time. The time is first counted in classes 1 % wide, so that only the fees of one class
-- per pair are sorted, and only they are made from their digits; the class of a fee is monotone in the
-- fee, so the answer is exact.
CREATE OR REPLACE MACRO withdraw_fee_quantile(q) AS TABLE
WITH held AS (
    SELECT
        s.entity_id,
        s.fee_coin_id,
        s.fee_coin,
        s.fee_amount_digits,
        s.fee_amount_scale,
        CASE WHEN s.fee_amount_digits IS NULL THEN s.fee_amount END AS fee_amount_large,
        coalesce(s.fee_amount_digits / store.power_of_ten(s.fee_amount_scale), fee_amount_large::DOUBLE) AS roughly,
        epoch_us(coalesce(s.valid_to, d.good_at)) - epoch_us(s.valid_from) AS held_us
    FROM store.withdraw_fee_span AS s
    JOIN store.dataset_now AS d ON d.dataset = 'withdraw_fee'
    WHERE s.unknown_reason IS NULL AND s.state = 'ok'
),

fee AS (
    SELECT
        * EXCLUDE (roughly),
        CASE WHEN roughly > 0 THEN floor(ln(roughly) * 100)::INTEGER ELSE -1000000 END AS class
    FROM held
),

counted AS (
    SELECT entity_id, fee_coin_id, any_value(fee_coin) AS fee_coin, class, sum(held_us)::BIGINT AS held_us
    FROM fee
    GROUP BY entity_id, fee_coin_id, class
),

cumulated AS (
    SELECT
        *,
        sum(held_us) OVER (PARTITION BY entity_id, fee_coin_id ORDER BY class)::BIGINT AS up_to_us,
        sum(held_us) OVER (PARTITION BY entity_id, fee_coin_id)::BIGINT AS total_us
    FROM counted
),

-- The class in which the share is reached.
target AS (
    SELECT * EXCLUDE (held_us, up_to_us), up_to_us - held_us AS below_us
    FROM cumulated
    WHERE up_to_us >= q::DECIMAL(9, 8) * total_us AND up_to_us - held_us < q::DECIMAL(9, 8) * total_us
),

inside AS (
    SELECT
        t.*,
        coalesce(store.amount(f.fee_amount_digits, f.fee_amount_scale), f.fee_amount_large) AS fee_amount,
        t.below_us + sum(f.held_us) OVER (
            PARTITION BY f.entity_id, f.fee_coin_id ORDER BY fee_amount
        ) AS reached_us
    FROM fee AS f
    JOIN target AS t ON t.entity_id = f.entity_id AND t.fee_coin_id = f.fee_coin_id AND t.class = f.class
),

reached AS (
    SELECT entity_id, fee_coin_id, fee_coin, min(fee_amount) AS fee_amount, any_value(total_us) AS total_us
    FROM inside
    WHERE reached_us >= q::DECIMAL(9, 8) * total_us
    GROUP BY entity_id, fee_coin_id, fee_coin
)

SELECT
    e.coin_id,
    coin.coin,
    e.chain,
    r.fee_coin_id,
    r.fee_coin,
    r.fee_amount,
    round(r.total_us / 1000000)::BIGINT AS known_s
FROM reached AS r
JOIN store.withdraw_fee_entity AS e USING (entity_id)
LEFT JOIN coin USING (coin_id);
