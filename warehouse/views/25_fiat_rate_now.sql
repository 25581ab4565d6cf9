-- view: fiat_rate_now
-- grain: one row per fiat that is listed now
-- key: fiat_id
-- consumers: analysts, ccpay route
-- example: SELECT fiat, usd_rate FROM fiat_rate_now WHERE fiat = 'EUR'
-- column fiat_id: CCPayment's id of the fiat
-- column fiat: symbol of the fiat
-- column usd_rate: units of the fiat per 1 US dollar, exact as answered: to price a USD fee in the fiat, multiply
-- column observed_at: when this rate was last answered
-- column data_age_s: seconds since then
-- column is_stale: whether that is more than three cadences
CREATE OR REPLACE VIEW fiat_rate_now AS
SELECT
    e.fiat_id,
    c.fiat,
    c.usd_rate,
    c.answered_at AS observed_at,
    store.data_age_s(c.answered_at) AS data_age_s,
    store.is_stale('fiats', c.answered_at) AS is_stale
FROM store.fiat_entity AS e
JOIN store.fiat_current AS c USING (entity_id)
WHERE c.state = 'ok';
