-- view: chain_status_now
-- grain: one row per chain that was ever listed
-- key: chain
-- consumers: operations, alert messages, the board
-- example: SELECT chain, status, started_after, started_by FROM chain_status_now WHERE status <> 'normal'
-- column chain: symbol of the chain
-- column chain_full_name: full name of the chain
-- column status: normal, maintenance, unknown or absent (no longer listed); unknown when the last poll has no answer. During an API outage ask last_known_status
-- column status_raw: the API's own word; NULL when there is none
-- column started_after: the status began after this moment, the last at which it was another one; other properties of the chain do not move it (NULL: it was so when monitoring began)
-- column started_by: and at the latest at this moment: the first poll with this status; for unknown, the first poll without an answer
-- column last_known_status: the last status that was really answered: normal, maintenance or absent
-- column last_known_status_since: start of the first poll of the last run of polls with that status, as its poll_id tells it; polls without an answer do not end a run
-- column unknown_reason: why the status is unknown; NULL when it is known
-- column needs_memo: whether addresses on this chain need a memo or tag
-- column is_watched: whether alerts treat the chain as watched: named in ccpay.toml, or carrying a watched coin; with nothing named, every chain that carries one of the merchant's coins
-- column observed_at: when the last answer about this chain was received
-- column data_age_s: seconds since then
-- column is_stale: whether that is more than three intervals of the watch
CREATE OR REPLACE VIEW chain_status_now AS
SELECT *, store.data_age_s(observed_at) AS data_age_s, store.is_stale('chains', observed_at) AS is_stale
FROM store.chain_status_ready;
