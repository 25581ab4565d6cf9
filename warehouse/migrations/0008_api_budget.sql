-- grain: one row: what the limits file said when a poll was last committed
-- key: none
-- consumers: ccpay_io/store/limits.py writes it; the view api_budget_now reads it
-- The limits themselves are kept in limits.sqlite, which every process of the account writes.

CREATE TABLE store.api_budget (
    noted_at TIMESTAMPTZ NOT NULL,
    requests_used BIGINT NOT NULL,
    requests_allowed BIGINT NOT NULL,
    resets_at TIMESTAMPTZ NOT NULL,
    is_quota_exhausted BOOLEAN NOT NULL,
    pace_rps DOUBLE NOT NULL,
    learned_ceiling_rps DOUBLE,
    breaker_since TIMESTAMPTZ,
    fee_pairs BIGINT,
    fee_pairs_asked BIGINT,
    fee_longest_age_s BIGINT
);
