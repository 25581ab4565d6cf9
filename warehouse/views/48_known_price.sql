-- inner: store.known_price
-- grain: one row per coin and stretch of time in which its price was known and the same
-- key: coin_id, valid_from
-- consumers: store.fee_samples, store.fee_spikes_since
-- example: SELECT coin_id, price_usd_digits, price_usd_scale FROM store.known_price WHERE valid_to = 'infinity'
CREATE OR REPLACE VIEW store.known_price AS
SELECT
    e.coin_id,
    s.price_usd,
    s.price_usd_digits,
    s.price_usd_scale,
    s.valid_from,
    coalesce(s.valid_to, 'infinity'::TIMESTAMPTZ) AS valid_to
FROM store.coin_price_span AS s
JOIN store.coin_price_entity AS e USING (entity_id)
WHERE s.unknown_reason IS NULL AND s.state = 'ok';
-- In units of 0.000000000001 US dollars; NULL from a million dollars on, so that products fit.
CREATE OR REPLACE MACRO store.known_usd(fee_digits, fee_scale, price_digits, price_scale) AS
    CASE
        WHEN store.product_units(fee_digits, fee_scale, price_digits, price_scale) < 1000000000000000000
            THEN store.product_units(fee_digits, fee_scale, price_digits, price_scale)::BIGINT
    END;
