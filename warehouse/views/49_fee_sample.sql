-- inner: store.fee_samples
-- grain: a table macro: one row per pair and full hour from `since` on at which its fee and the fee coin's price were known
-- key: entity_id, hour
-- consumers: store.fee_baselines
-- example: SELECT count(*) FROM store.fee_samples(now() - INTERVAL 7 DAY, NULL)
-- Hours are counted from 1970. usd is the fee in units of 0.000000000001 US dollars at that hour's
-- price; fees of a million dollars and more are left out, so that products fit.
-- `pairs` are entity_ids to look at; NULL is all. By a join, which tells the scan what to leave out.
CREATE OR REPLACE MACRO store.fee_pairs(pairs) AS TABLE
SELECT entity_id FROM store.withdraw_fee_entity WHERE pairs IS NULL OR list_contains(pairs, entity_id);

CREATE OR REPLACE MACRO store.fee_samples(since, pairs) AS TABLE
WITH held AS (
    SELECT
        s.entity_id,
        s.fee_coin_id,
        s.fee_amount,
        s.fee_amount_digits,
        s.fee_amount_scale,
        ceil(epoch(greatest(s.valid_from, since)) / 3600)::BIGINT AS first_hour,
        -- What still holds is known up to its last confirmation.
        ceil(epoch(coalesce(s.valid_to, d.good_at)) / 3600)::BIGINT AS end_hour
    FROM store.withdraw_fee_span AS s
    JOIN store.fee_pairs(pairs) USING (entity_id)
    JOIN store.dataset_now AS d ON d.dataset = 'withdraw_fee'
    WHERE s.unknown_reason IS NULL AND s.state = 'ok' AND (s.valid_to IS NULL OR s.valid_to > since)
),

sample AS (
    SELECT * EXCLUDE (first_hour, end_hour), unnest(range(first_hour, end_hour)) AS hour
    FROM held
    WHERE first_hour < end_hour
)

SELECT
    s.entity_id,
    s.hour,
    s.fee_coin_id,
    s.fee_amount,
    store.known_usd(s.fee_amount_digits, s.fee_amount_scale, p.price_usd_digits, p.price_usd_scale) AS usd
FROM sample AS s
ASOF JOIN store.known_price AS p
    ON p.coin_id = s.fee_coin_id AND p.valid_from <= make_timestamptz(s.hour * 3600000000)
WHERE p.valid_to > make_timestamptz(s.hour * 3600000000) AND usd IS NOT NULL;
