-- macro: withdrawal_cost_in(fiat)
-- grain: a table macro: withdrawal_cost_monthly in a fiat, each withdrawal converted at the rate known at its moment (not older than three cadences), an estimate at the month's time-weighted mean rate
-- key: month, coin_id, chain
-- consumers: treasury
-- example: SELECT month, coin, chain, fee, avoidable, is_estimate FROM withdrawal_cost_in('EUR') ORDER BY month DESC, fee DESC
-- column fiat: symbol of the currency of the costs, as asked for
-- column fee: what the withdrawals cost, in that currency
-- column avg_fee: mean of it
-- column cheapest_possible: what they would have cost on the cheapest usable routes, in that currency
-- column avoidable: what that would have saved
CREATE OR REPLACE MACRO withdrawal_cost_in(which_fiat) AS TABLE
WITH rate AS (
    SELECT s.usd_rate, s.valid_from, s.valid_to
    FROM store.fiat_span AS s
    WHERE s.unknown_reason IS NULL AND s.state = 'ok' AND upper(s.fiat) = upper(which_fiat)
),

rated AS (
    SELECT
        w.*,
        r.usd_rate,
        r.valid_from AS rated_from,
        CASE
            WHEN r.valid_to <= w.withdrawn_at THEN r.valid_to - INTERVAL 1 MICROSECOND
            ELSE w.withdrawn_at
        END AS rated_until
    FROM store.withdrawal_valued AS w
    ASOF LEFT JOIN rate AS r ON r.valid_from <= w.withdrawn_at
),

converted AS (
    SELECT
        r.* EXCLUDE (usd_rate),
        CASE
            WHEN upper(which_fiat) = 'USD' THEN 1
            WHEN epoch(r.withdrawn_at) - epoch(greatest(p.observed_at, r.rated_from)) <= 3 * p.cadence_s
                THEN r.usd_rate
        END::DECIMAL(38, 18) AS usd_rate
    FROM rated AS r
    ASOF LEFT JOIN (FROM store.ledger WHERE feed = 'fiats' AND outcome IN ('ok', 'partial')) AS p
        ON p.observed_at <= r.rated_until
),

monthly_rate AS (
    SELECT
        m.month,
        store.weighted_mean(
            r.usd_rate, store.overlap_us(r.valid_from, coalesce(r.valid_to, d.good_at), m.begins_at, m.ends_at)
        ) AS usd_rate
    FROM rate AS r
    JOIN store.dataset_now AS d ON d.dataset = 'fiat'
    JOIN store.local_month AS m
        ON r.valid_from < m.ends_at AND coalesce(r.valid_to, d.good_at) > m.begins_at
    GROUP BY m.month
),

cost AS (
    SELECT
        month, coin_id, chain, amount, is_recorded,
        store.converted(fee_usd, usd_rate) AS fee,
        store.converted(cheapest_usd, usd_rate) AS cheapest
    FROM converted
),

counted AS (
    SELECT
        month,
        coin_id,
        chain,
        count(*) AS withdrawal_count,
        store.exact_sum(amount) AS payout_amount,
        store.exact_sum_usd(fee) AS fee,
        store.exact_mean(store.exact_sum_usd(fee), count(fee)) AS avg_fee,
        store.exact_sum_usd(CASE WHEN fee IS NOT NULL THEN cheapest END) AS cheapest_possible,
        store.exact_sum_usd(fee - cheapest) AS avoidable,
        bool_or(fee IS NULL OR NOT is_recorded) AS is_estimate,
        count(fee) AS valued_count,
        count(fee - cheapest) AS compared_count
    FROM cost
    GROUP BY month, coin_id, chain
),

estimated AS (
    SELECT
        month,
        coin_id,
        chain,
        NULL::BIGINT AS withdrawal_count,
        NULL::DECIMAL(38, 18) AS payout_amount,
        store.converted(e.fee_usd, rate_used) AS fee,
        fee AS avg_fee,
        store.converted(e.cheapest_usd, rate_used) AS cheapest_possible,
        fee - cheapest_possible AS avoidable,
        true AS is_estimate,
        NULL::BIGINT AS valued_count,
        NULL::BIGINT AS compared_count
    FROM (
        SELECT e.*, CASE WHEN upper(which_fiat) = 'USD' THEN 1 ELSE r.usd_rate END::DECIMAL(38, 18) AS rate_used
        FROM store.payout_estimate AS e
        LEFT JOIN monthly_rate AS r USING (month)
    ) AS e
)

SELECT
    c.month,
    c.coin_id,
    coin.coin,
    c.chain,
    upper(which_fiat) AS fiat,
    c.* EXCLUDE (month, coin_id, chain)
FROM (FROM counted UNION ALL FROM estimated) AS c
LEFT JOIN coin USING (coin_id);
