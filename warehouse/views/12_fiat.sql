-- view: fiat
-- grain: one row per fiat that was ever listed
-- key: fiat_id
-- consumers: analysts, for names
-- example: SELECT fiat_id, fiat, mark FROM fiat ORDER BY fiat
-- column fiat_id: CCPayment's id of the fiat
-- column fiat: symbol of the fiat, e.g. EUR
-- column mark: its currency sign
-- column logo_url: its flag or logo
-- column first_seen_at: start of the first poll that listed it, readable or not, as its poll_id tells it
-- column last_seen_at: when it was last listed in a form that could be read
CREATE OR REPLACE VIEW fiat AS
SELECT
    e.fiat_id,
    c.fiat,
    c.mark,
    c.logo_url,
    make_timestamptz(e.first_poll_id) AS first_seen_at,
    c.answered_at AS last_seen_at
FROM store.fiat_entity AS e
JOIN store.fiat_current AS c USING (entity_id)
WHERE c.answered_at IS NOT NULL;
