-- view: fiat_rate_history
-- grain: one row per fiat and stretch of time with the same rate; a failed poll does not end it, because a rate that was not asked is not known to have moved: see poll_coverage
-- key: fiat_id, valid_from
-- consumers: analysts
-- example: SELECT valid_from, usd_rate FROM fiat_rate_history WHERE fiat = 'EUR' ORDER BY valid_from
-- column fiat_id: CCPayment's id of the fiat
-- column fiat: symbol of the fiat
-- column usd_rate: units of the fiat per 1 US dollar, exact as answered
-- column valid_from: when this rate was first received
-- column valid_to: when another one, or the fiat's absence, was first seen; NULL while it is still so
-- column poll_id: the poll in which it was first received
CREATE OR REPLACE VIEW fiat_rate_history AS
WITH turn AS (
    SELECT
        o.entity_id,
        o.poll_id,
        o.state,
        o.fiat,
        o.usd_rate,
        p.observed_at AS valid_from,
        lead(p.observed_at) OVER (PARTITION BY o.entity_id ORDER BY o.poll_id) AS valid_to
    FROM store.fiat_observation AS o
    JOIN store.poll AS p USING (poll_id)
)

SELECT e.fiat_id, t.fiat, t.usd_rate, t.valid_from, t.valid_to, t.poll_id
FROM turn AS t
JOIN store.fiat_entity AS e USING (entity_id)
WHERE t.state = 'ok';
