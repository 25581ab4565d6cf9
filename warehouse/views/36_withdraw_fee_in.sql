-- macro: withdraw_fee_in(fiat)
-- grain: a table macro: one row per pair and stretch of time in which its answer was the same, as in withdraw_fee_history, valued in a fiat as of then
-- key: coin_id, chain, valid_from
-- consumers: treasury
-- example: SELECT valid_from, chain, fee_amount, fee_coin, fee_fiat FROM withdraw_fee_in('EUR') WHERE coin = 'USDT' ORDER BY valid_from DESC
-- column coin_id: CCPayment's id of the coin that is paid out
-- column coin: its symbol
-- column chain: the chain it is paid out on
-- column state: ok or refused
-- column fee_amount: network fee in units of the fee coin, exact as answered
-- column fee_coin: symbol of the coin in which the fee is charged
-- column fee_usd: the fee in US dollars as of valid_from, as withdraw_fee_history has it
-- column usd_rate: units of the fiat per US dollar as of valid_from; NULL while the rate was not known
-- column fee_fiat: fee_usd x usd_rate, exact, rounded to 12 places; NULL with a reason
-- column fee_fiat_reason: why fee_fiat is NULL: no_fee_usd, no_rate, or too_large (more than 20 digits of dollars before the point, or 26 of the fiat)
-- column valid_from: when this answer was first received
-- column valid_to: when the next poll said something else or nothing; NULL while it is still so
CREATE OR REPLACE MACRO withdraw_fee_in(which_fiat) AS TABLE
WITH rate AS (
    SELECT
        s.usd_rate,
        s.usd_rate_digits,
        s.usd_rate_scale,
        store.power_of_ten(s.usd_rate_scale)::BIGINT AS usd_rate_unit,
        s.valid_from,
        s.valid_to
    FROM store.fiat_span AS s
    WHERE s.unknown_reason IS NULL AND s.state = 'ok' AND s.fiat = which_fiat
),

rated AS (
    SELECT
        f.*,
        CASE WHEN r.valid_to IS NULL OR r.valid_to > f.valid_from THEN r.usd_rate END AS usd_rate,
        CASE WHEN r.valid_to IS NULL OR r.valid_to > f.valid_from THEN r.usd_rate_digits END AS usd_rate_digits,
        r.usd_rate_scale,
        r.usd_rate_unit
    FROM store.withdraw_fee_valued AS f
    ASOF LEFT JOIN rate AS r ON r.valid_from <= f.valid_from
),

-- digits x rate / unit, rounded half up, as whole units and the rest: nearly always that fits into 64 bits,
-- where a division is fifteen times as quick. What does not is NULL.
split AS (
    SELECT *, TRY(
        (fee_usd_digits // usd_rate_unit) * usd_rate_digits::BIGINT
        + ((fee_usd_digits % usd_rate_unit) * usd_rate_digits::BIGINT + usd_rate_unit // 2) // usd_rate_unit
    ) AS fee_fiat_digits
    FROM rated
),

converted AS (
    SELECT *, CASE
        WHEN fee_fiat_digits IS NOT NULL THEN store.units_to_usd(fee_fiat_digits)
        ELSE store.exact_product_of(
            TRY_CAST(fee_usd AS DECIMAL(38, 18)), fee_usd_digits, 12, usd_rate, usd_rate_digits, usd_rate_scale
        )
    END AS fee_fiat
    FROM split
)

SELECT
    coin_id,
    coin,
    chain,
    state,
    fee_amount,
    fee_coin,
    fee_usd,
    usd_rate,
    fee_fiat,
    CASE
        WHEN fee_fiat IS NOT NULL THEN NULL
        WHEN fee_usd IS NULL THEN 'no_fee_usd'
        WHEN usd_rate IS NULL THEN 'no_rate'
        ELSE 'too_large'
    END AS fee_fiat_reason,
    valid_from,
    valid_to
FROM converted;
