-- grain: as in 0003_stretches.sql: one row per entity and stretch of time that ended
-- key: entity_id, from_no
-- consumers: ccpay_io/store/stretches.py writes; spans.py reads
-- Digits of an amount in 64 bits: DuckDB unpacks those fifty times as quickly as those of DECIMAL(38, 0).
-- An amount of 19 and more digits is in <amount>_large as it is; its digits and scale are NULL then.
-- In new tables that take the old names: DuckLake widens the type of a column, but does not narrow it.

CREATE TEMP MACRO power_of_scale(scale) AS ([
    1.000000000000000000, 0.100000000000000000, 0.010000000000000000, 0.001000000000000000,
    0.000100000000000000, 0.000010000000000000, 0.000001000000000000, 0.000000100000000000,
    0.000000010000000000, 0.000000001000000000, 0.000000000100000000, 0.000000000010000000,
    0.000000000001000000, 0.000000000000100000, 0.000000000000010000, 0.000000000000001000,
    0.000000000000000100, 0.000000000000000010, 0.000000000000000001
]::DECIMAL(19, 18)[])[scale + 1];

CREATE TABLE store.small_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    fiat VARCHAR,
    usd_rate_digits DECIMAL(18, 0),
    usd_rate_scale BIGINT,
    usd_rate_large DECIMAL(38, 18)
);
INSERT INTO store.small_stretch BY NAME
SELECT
    * EXCLUDE (usd_rate_digits, usd_rate_scale),
    CASE WHEN usd_rate_digits < 1000000000000000000 THEN usd_rate_digits END AS usd_rate_digits,
    CASE WHEN usd_rate_digits < 1000000000000000000 THEN usd_rate_scale END AS usd_rate_scale,
    CASE WHEN usd_rate_digits >= 1000000000000000000 THEN usd_rate_digits * power_of_scale(usd_rate_scale) END AS usd_rate_large
FROM store.fiat_stretch;
DROP TABLE store.fiat_stretch;
ALTER TABLE store.small_stretch RENAME TO fiat_stretch;

CREATE TABLE store.small_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    contract VARCHAR,
    "precision" BIGINT,
    can_deposit BOOLEAN,
    can_withdraw BOOLEAN,
    min_deposit_amount_digits DECIMAL(18, 0),
    min_deposit_amount_scale BIGINT,
    min_withdraw_amount_digits DECIMAL(18, 0),
    min_withdraw_amount_scale BIGINT,
    max_withdraw_amount_digits DECIMAL(18, 0),
    max_withdraw_amount_scale BIGINT,
    needs_memo BOOLEAN,
    min_deposit_amount_large DECIMAL(38, 18),
    min_withdraw_amount_large DECIMAL(38, 18),
    max_withdraw_amount_large DECIMAL(38, 18)
);
INSERT INTO store.small_stretch BY NAME
SELECT
    * EXCLUDE (min_deposit_amount_digits, min_deposit_amount_scale, min_withdraw_amount_digits, min_withdraw_amount_scale, max_withdraw_amount_digits, max_withdraw_amount_scale),
    CASE WHEN min_deposit_amount_digits < 1000000000000000000 THEN min_deposit_amount_digits END AS min_deposit_amount_digits,
    CASE WHEN min_deposit_amount_digits < 1000000000000000000 THEN min_deposit_amount_scale END AS min_deposit_amount_scale,
    CASE WHEN min_deposit_amount_digits >= 1000000000000000000 THEN min_deposit_amount_digits * power_of_scale(min_deposit_amount_scale) END AS min_deposit_amount_large,
    CASE WHEN min_withdraw_amount_digits < 1000000000000000000 THEN min_withdraw_amount_digits END AS min_withdraw_amount_digits,
    CASE WHEN min_withdraw_amount_digits < 1000000000000000000 THEN min_withdraw_amount_scale END AS min_withdraw_amount_scale,
    CASE WHEN min_withdraw_amount_digits >= 1000000000000000000 THEN min_withdraw_amount_digits * power_of_scale(min_withdraw_amount_scale) END AS min_withdraw_amount_large,
    CASE WHEN max_withdraw_amount_digits < 1000000000000000000 THEN max_withdraw_amount_digits END AS max_withdraw_amount_digits,
    CASE WHEN max_withdraw_amount_digits < 1000000000000000000 THEN max_withdraw_amount_scale END AS max_withdraw_amount_scale,
    CASE WHEN max_withdraw_amount_digits >= 1000000000000000000 THEN max_withdraw_amount_digits * power_of_scale(max_withdraw_amount_scale) END AS max_withdraw_amount_large
FROM store.coin_network_stretch;
DROP TABLE store.coin_network_stretch;
ALTER TABLE store.small_stretch RENAME TO coin_network_stretch;

CREATE TABLE store.small_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    price_usd_digits DECIMAL(18, 0),
    price_usd_scale BIGINT,
    price_usd_large DECIMAL(38, 18)
);
INSERT INTO store.small_stretch BY NAME
SELECT
    * EXCLUDE (price_usd_digits, price_usd_scale),
    CASE WHEN price_usd_digits < 1000000000000000000 THEN price_usd_digits END AS price_usd_digits,
    CASE WHEN price_usd_digits < 1000000000000000000 THEN price_usd_scale END AS price_usd_scale,
    CASE WHEN price_usd_digits >= 1000000000000000000 THEN price_usd_digits * power_of_scale(price_usd_scale) END AS price_usd_large
FROM store.coin_price_stretch;
DROP TABLE store.coin_price_stretch;
ALTER TABLE store.small_stretch RENAME TO coin_price_stretch;

CREATE TABLE store.small_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    refusal_code BIGINT,
    fee_amount_digits DECIMAL(18, 0),
    fee_amount_scale BIGINT,
    fee_coin_id BIGINT,
    fee_coin VARCHAR,
    fee_amount_large DECIMAL(38, 18)
);
INSERT INTO store.small_stretch BY NAME
SELECT
    * EXCLUDE (fee_amount_digits, fee_amount_scale),
    CASE WHEN fee_amount_digits < 1000000000000000000 THEN fee_amount_digits END AS fee_amount_digits,
    CASE WHEN fee_amount_digits < 1000000000000000000 THEN fee_amount_scale END AS fee_amount_scale,
    CASE WHEN fee_amount_digits >= 1000000000000000000 THEN fee_amount_digits * power_of_scale(fee_amount_scale) END AS fee_amount_large
FROM store.withdraw_fee_stretch;
DROP TABLE store.withdraw_fee_stretch;
ALTER TABLE store.small_stretch RENAME TO withdraw_fee_stretch;

DROP MACRO power_of_scale;
