-- view: fiat_rate_history
-- grain: one row per fiat and stretch of time with the same rate; an unknown stretch (a failed or skipped poll, a gap) ends one row and the next answer begins another
-- key: fiat_id, valid_from
-- consumers: analysts
-- example: SELECT valid_from, usd_rate FROM fiat_rate_history WHERE fiat = 'EUR' ORDER BY valid_from
-- column fiat_id: CCPayment's id of the fiat
-- column fiat: symbol of the fiat
-- column usd_rate: units of the fiat per 1 US dollar, exact as answered
-- column valid_from: when this rate was first received
-- column valid_to: when the next poll said something else or nothing; NULL while it is still so
-- column poll_id: the poll in which it was first received
CREATE OR REPLACE VIEW fiat_rate_history AS
SELECT e.fiat_id, s.fiat, s.usd_rate, s.valid_from, s.valid_to, s.poll_id
FROM store.fiat_span AS s
JOIN store.fiat_entity AS e USING (entity_id)
WHERE s.unknown_reason IS NULL AND s.state = 'ok';
