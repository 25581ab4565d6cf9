-- view: address_validity_now
-- grain: one row per watched address
-- key: label, chain, address
-- consumers: treasury
-- example: SELECT label, chain, is_valid FROM address_validity_now WHERE NOT is_valid
-- column label: the user's own name for the address
-- column chain: the chain it was checked on
-- column address: a hash of the address
-- column is_valid: what the API answered; NULL when it refused to say
-- column observed_at: when it was last answered
-- column data_age_s: seconds since then
-- column is_stale: whether that is more than three cadences
CREATE OR REPLACE VIEW address_validity_now AS
SELECT
    e.label,
    e.chain,
    e.address,
    c.is_valid,
    c.answered_at AS observed_at,
    store.data_age_s(c.answered_at) AS data_age_s,
    store.is_stale('watchlist', c.answered_at) AS is_stale
FROM store.address_validity_entity AS e
JOIN store.address_validity_current AS c USING (entity_id)
WHERE c.state <> 'absent';
