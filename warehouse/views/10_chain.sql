-- view: chain
-- grain: one row per chain that was ever listed
-- key: chain
-- consumers: analysts, for names and links
-- example: SELECT chain, chain_full_name, needs_memo FROM chain ORDER BY chain
-- column chain: symbol of the chain, as the API takes it
-- column chain_full_name: full name of the chain
-- column explorer_url: block explorer of the chain
-- column tx_url_template: prefix of the explorer's page for a transaction; %s stands for the transaction id
-- column is_evm: whether the chain is EVM-compatible
-- column needs_memo: whether addresses on this chain need a memo or tag
-- column confirmations: confirmations that CCPayment waits for; NULL when the API did not say
-- column logo_url: logo of the chain's coin
-- column first_seen_at: start of the first poll that listed it, readable or not, as its poll_id tells it
-- column last_seen_at: when it was last listed in a form that could be read
CREATE OR REPLACE VIEW chain AS
SELECT
    e.chain,
    c.chain_full_name,
    c.explorer_url,
    c.tx_url_template,
    c.is_evm,
    c.needs_memo,
    c.confirmations,
    c.logo_url,
    make_timestamptz(e.first_poll_id) AS first_seen_at,
    c.answered_at AS last_seen_at
FROM store.chain_entity AS e
JOIN store.chain_current AS c USING (entity_id)
WHERE c.answered_at IS NOT NULL;
