-- grain: the base tables: one ledger row per poll, one observation per change, one current row per entity
-- key: store.poll.poll_id; <dataset>_entity.entity_id; <dataset>_observation (poll_id, entity_id); <dataset>_current.entity_id
-- consumers: ccpay_io/store writes them; the views in warehouse/views are what people read
-- Uniqueness is kept by the writer (one transaction per poll behind a lock), because neither keys nor
-- indexes, sequences or enums exist in DuckLake, which takes this same text. Ids are BIGINT from day one.

CREATE SCHEMA IF NOT EXISTS store;

CREATE TABLE store.stamp (
    environment VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- The ledger: every attempt is a row, whatever became of it.
CREATE TABLE store.poll (
    poll_id BIGINT NOT NULL,
    feed VARCHAR NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    observed_at TIMESTAMPTZ NOT NULL,
    outcome VARCHAR NOT NULL,
    requests BIGINT NOT NULL,
    answered_count BIGINT NOT NULL,
    changed_count BIGINT NOT NULL,
    refused_count BIGINT NOT NULL,
    unknown_count BIGINT NOT NULL,
    listed_count BIGINT,
    error_code BIGINT,
    error_name VARCHAR,
    error_message VARCHAR,
    writer VARCHAR NOT NULL,
    cadence_s BIGINT NOT NULL,
    content_hash VARCHAR,
    raw_name VARCHAR,
    raw_sha256 VARCHAR,
    raw_size BIGINT
);

-- Which entities of a poll that was stored have no answer, and why. What is in no gap was answered.
CREATE TABLE store.poll_gap (
    poll_id BIGINT NOT NULL,
    dataset VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    entity_ids BIGINT[] NOT NULL
);

-- The planned seconds between polls, dated: coverage is judged by the cadence in force at the time.
CREATE TABLE store.cadence (
    feed VARCHAR NOT NULL,
    valid_from TIMESTAMPTZ NOT NULL,
    cadence_s BIGINT NOT NULL
);

-- What the user watches (ccpay.toml), so that views and messages can say so.
CREATE TABLE store.watch_setting (
    kind VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    value VARCHAR
);

-- Pairs answered 13000/13001: not asked again until the coin list or the chain list changes.
CREATE TABLE store.missing_pair (
    coin_id BIGINT NOT NULL,
    chain VARCHAR NOT NULL,
    refusal_code BIGINT NOT NULL,
    poll_id BIGINT NOT NULL
);

-- Deviations from the documented contract, each once, with the first sample.
CREATE TABLE store.drift (
    endpoint VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    first_seen_at TIMESTAMPTZ NOT NULL,
    first_poll_id BIGINT NOT NULL,
    sample VARCHAR NOT NULL
);

CREATE TABLE data_dictionary (
    view_name VARCHAR NOT NULL,
    column_name VARCHAR,
    column_type VARCHAR,
    description VARCHAR NOT NULL
);

CREATE TABLE store.chain_entity (entity_id BIGINT NOT NULL, first_poll_id BIGINT NOT NULL, chain VARCHAR NOT NULL);
CREATE TABLE store.chain_observation (
    poll_id BIGINT NOT NULL, entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    status_raw VARCHAR, is_evm BOOLEAN, needs_memo BOOLEAN, confirmations BIGINT
);
CREATE TABLE store.chain_current (
    entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    status_raw VARCHAR, is_evm BOOLEAN, needs_memo BOOLEAN, confirmations BIGINT,
    chain_full_name VARCHAR, explorer_url VARCHAR, tx_url_template VARCHAR, logo_url VARCHAR,
    changed_poll_id BIGINT NOT NULL, changed_after TIMESTAMPTZ, changed_by TIMESTAMPTZ NOT NULL,
    answered_poll_id BIGINT NOT NULL, answered_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE store.fiat_entity (entity_id BIGINT NOT NULL, first_poll_id BIGINT NOT NULL, fiat_id BIGINT NOT NULL);
CREATE TABLE store.fiat_observation (
    poll_id BIGINT NOT NULL, entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    fiat VARCHAR, usd_rate DECIMAL(38, 18)
);
CREATE TABLE store.fiat_current (
    entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    fiat VARCHAR, usd_rate DECIMAL(38, 18),
    mark VARCHAR, logo_url VARCHAR,
    changed_poll_id BIGINT NOT NULL, changed_after TIMESTAMPTZ, changed_by TIMESTAMPTZ NOT NULL,
    answered_poll_id BIGINT NOT NULL, answered_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE store.swap_coin_entity (entity_id BIGINT NOT NULL, first_poll_id BIGINT NOT NULL, coin_id BIGINT NOT NULL);
CREATE TABLE store.swap_coin_observation (
    poll_id BIGINT NOT NULL, entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    coin VARCHAR
);
CREATE TABLE store.swap_coin_current (
    entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    coin VARCHAR,
    logo_url VARCHAR,
    changed_poll_id BIGINT NOT NULL, changed_after TIMESTAMPTZ, changed_by TIMESTAMPTZ NOT NULL,
    answered_poll_id BIGINT NOT NULL, answered_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE store.coin_entity (entity_id BIGINT NOT NULL, first_poll_id BIGINT NOT NULL, coin_id BIGINT NOT NULL);
CREATE TABLE store.coin_observation (
    poll_id BIGINT NOT NULL, entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    coin VARCHAR, status VARCHAR
);
CREATE TABLE store.coin_current (
    entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    coin VARCHAR, status VARCHAR,
    coin_full_name VARCHAR, logo_url VARCHAR,
    changed_poll_id BIGINT NOT NULL, changed_after TIMESTAMPTZ, changed_by TIMESTAMPTZ NOT NULL,
    answered_poll_id BIGINT NOT NULL, answered_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE store.coin_network_entity (
    entity_id BIGINT NOT NULL, first_poll_id BIGINT NOT NULL, coin_id BIGINT NOT NULL, chain VARCHAR NOT NULL
);
CREATE TABLE store.coin_network_observation (
    poll_id BIGINT NOT NULL, entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    contract VARCHAR, "precision" BIGINT, can_deposit BOOLEAN, can_withdraw BOOLEAN,
    min_deposit_amount DECIMAL(38, 18), min_withdraw_amount DECIMAL(38, 18),
    max_withdraw_amount DECIMAL(38, 18), needs_memo BOOLEAN
);
CREATE TABLE store.coin_network_current (
    entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    contract VARCHAR, "precision" BIGINT, can_deposit BOOLEAN, can_withdraw BOOLEAN,
    min_deposit_amount DECIMAL(38, 18), min_withdraw_amount DECIMAL(38, 18),
    max_withdraw_amount DECIMAL(38, 18), needs_memo BOOLEAN,
    chain_full_name VARCHAR,
    changed_poll_id BIGINT NOT NULL, changed_after TIMESTAMPTZ, changed_by TIMESTAMPTZ NOT NULL,
    answered_poll_id BIGINT NOT NULL, answered_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE store.coin_price_entity (entity_id BIGINT NOT NULL, first_poll_id BIGINT NOT NULL, coin_id BIGINT NOT NULL);
CREATE TABLE store.coin_price_observation (
    poll_id BIGINT NOT NULL, entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    price_usd DECIMAL(38, 18)
);
CREATE TABLE store.coin_price_current (
    entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    price_usd DECIMAL(38, 18),
    changed_poll_id BIGINT NOT NULL, changed_after TIMESTAMPTZ, changed_by TIMESTAMPTZ NOT NULL,
    answered_poll_id BIGINT NOT NULL, answered_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE store.withdraw_fee_entity (
    entity_id BIGINT NOT NULL, first_poll_id BIGINT NOT NULL, coin_id BIGINT NOT NULL, chain VARCHAR NOT NULL
);
CREATE TABLE store.withdraw_fee_observation (
    poll_id BIGINT NOT NULL, entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    refusal_code BIGINT, fee_amount DECIMAL(38, 18), fee_coin_id BIGINT, fee_coin VARCHAR
);
CREATE TABLE store.withdraw_fee_current (
    entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    refusal_code BIGINT, fee_amount DECIMAL(38, 18), fee_coin_id BIGINT, fee_coin VARCHAR,
    network_fee_inquiry_id VARCHAR,
    changed_poll_id BIGINT NOT NULL, changed_after TIMESTAMPTZ, changed_by TIMESTAMPTZ NOT NULL,
    answered_poll_id BIGINT NOT NULL, answered_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE store.address_validity_entity (
    entity_id BIGINT NOT NULL, first_poll_id BIGINT NOT NULL, label VARCHAR NOT NULL, chain VARCHAR NOT NULL,
    address VARCHAR NOT NULL
);
CREATE TABLE store.address_validity_observation (
    poll_id BIGINT NOT NULL, entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    refusal_code BIGINT, is_valid BOOLEAN
);
CREATE TABLE store.address_validity_current (
    entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    refusal_code BIGINT, is_valid BOOLEAN,
    changed_poll_id BIGINT NOT NULL, changed_after TIMESTAMPTZ, changed_by TIMESTAMPTZ NOT NULL,
    answered_poll_id BIGINT NOT NULL, answered_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE store.cwallet_user_entity (
    entity_id BIGINT NOT NULL, first_poll_id BIGINT NOT NULL, label VARCHAR NOT NULL, cwallet_user_id VARCHAR NOT NULL
);
CREATE TABLE store.cwallet_user_observation (
    poll_id BIGINT NOT NULL, entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    refusal_code BIGINT, user_name VARCHAR
);
CREATE TABLE store.cwallet_user_current (
    entity_id BIGINT NOT NULL, state VARCHAR NOT NULL,
    refusal_code BIGINT, user_name VARCHAR,
    changed_poll_id BIGINT NOT NULL, changed_after TIMESTAMPTZ, changed_by TIMESTAMPTZ NOT NULL,
    answered_poll_id BIGINT NOT NULL, answered_at TIMESTAMPTZ NOT NULL
);
