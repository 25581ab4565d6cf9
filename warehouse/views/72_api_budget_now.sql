-- view: api_budget_now
-- grain: one row, from the first poll on: what may still be asked today, and how fast
-- key: none
-- consumers: operations, the board
-- example: SELECT requests_used, requests_left, pace_rps, breaker_since FROM api_budget_now
-- column requests_used: requests made since the account's day began, by all processes of the account on this machine; NULL once that day is over
-- column requests_left: requests that are left of the day, those kept for the chains included; NULL once that day is over
-- column requests_allowed: requests a day: CCPAY_DAILY_BUDGET, or what the account's quota turned out to be where that is less
-- column resets_at: when the account's day ends: 00:00 UTC, or the time at which a used-up quota was seen to begin anew
-- column is_quota_exhausted: whether the API said (11009) that the day's quota is used up
-- column pace_rps: requests a second
-- column learned_ceiling_rps: the highest pace that was not refused; NULL while nothing was refused
-- column breaker_since: when the API banned this address (11014), since when nothing is asked; NULL when it did not
-- column fee_pairs: pairs in the scope of the last fee poll; NULL before the first
-- column fee_pairs_asked: those of them that the budget let it ask for
-- column fee_coverage_pct: the same in percent
-- column fee_longest_age_s: seconds after which every pair is asked again at the latest, as long as polls are answered
-- column observed_at: when a poll last noted this
-- column data_age_s: seconds since then
-- column is_stale: whether that is more than three cadences of the chain watch
CREATE OR REPLACE VIEW api_budget_now AS
SELECT
    CASE WHEN now() < resets_at THEN requests_used END AS requests_used,
    CASE WHEN now() < resets_at THEN greatest(0, requests_allowed - requests_used) END AS requests_left,
    requests_allowed,
    resets_at,
    is_quota_exhausted AND now() < resets_at AS is_quota_exhausted,
    pace_rps,
    learned_ceiling_rps,
    breaker_since,
    fee_pairs,
    fee_pairs_asked,
    round(100 * fee_pairs_asked / nullif(fee_pairs, 0), 2) AS fee_coverage_pct,
    fee_longest_age_s,
    noted_at AS observed_at,
    store.data_age_s(noted_at) AS data_age_s,
    store.is_stale('chains', noted_at) AS is_stale
FROM store.api_budget;
