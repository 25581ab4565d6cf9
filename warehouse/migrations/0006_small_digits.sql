-- grain: as in 0003_stretches.sql: one row per entity and stretch of time that ended
-- key: entity_id, from_no
-- consumers: ccpay_io/store/stretches.py writes; spans.py reads
-- Digits of an amount in 64 bits: DuckDB unpacks those fifty times as quickly as those of DECIMAL(38, 0).
-- An amount of 19 and more digits is in <amount>_large as it is; its digits and scale are NULL then.
-- In new columns that take the old names: DuckLake widens the type of a column, but does not narrow it.

CREATE TEMP MACRO power_of_scale(scale) AS ([
    1.000000000000000000, 0.100000000000000000, 0.010000000000000000, 0.001000000000000000,
    0.000100000000000000, 0.000010000000000000, 0.000001000000000000, 0.000000100000000000,
    0.000000010000000000, 0.000000001000000000, 0.000000000100000000, 0.000000000010000000,
    0.000000000001000000, 0.000000000000100000, 0.000000000000010000, 0.000000000000001000,
    0.000000000000000100, 0.000000000000000010, 0.000000000000000001
]::DECIMAL(19, 18)[])[scale + 1];

ALTER TABLE store.fiat_stretch ADD COLUMN usd_rate_large DECIMAL(38, 18);
ALTER TABLE store.fiat_stretch ADD COLUMN usd_rate_small DECIMAL(18, 0);
UPDATE store.fiat_stretch
SET usd_rate_small = usd_rate_digits
WHERE usd_rate_digits < 1000000000000000000;
UPDATE store.fiat_stretch
SET usd_rate_large = usd_rate_digits * power_of_scale(usd_rate_scale), usd_rate_scale = NULL
WHERE usd_rate_digits >= 1000000000000000000;
ALTER TABLE store.fiat_stretch DROP COLUMN usd_rate_digits;
ALTER TABLE store.fiat_stretch RENAME COLUMN usd_rate_small TO usd_rate_digits;

ALTER TABLE store.coin_network_stretch ADD COLUMN min_deposit_amount_large DECIMAL(38, 18);
ALTER TABLE store.coin_network_stretch ADD COLUMN min_deposit_amount_small DECIMAL(18, 0);
UPDATE store.coin_network_stretch
SET min_deposit_amount_small = min_deposit_amount_digits
WHERE min_deposit_amount_digits < 1000000000000000000;
UPDATE store.coin_network_stretch
SET min_deposit_amount_large = min_deposit_amount_digits * power_of_scale(min_deposit_amount_scale), min_deposit_amount_scale = NULL
WHERE min_deposit_amount_digits >= 1000000000000000000;
ALTER TABLE store.coin_network_stretch DROP COLUMN min_deposit_amount_digits;
ALTER TABLE store.coin_network_stretch RENAME COLUMN min_deposit_amount_small TO min_deposit_amount_digits;

ALTER TABLE store.coin_network_stretch ADD COLUMN min_withdraw_amount_large DECIMAL(38, 18);
ALTER TABLE store.coin_network_stretch ADD COLUMN min_withdraw_amount_small DECIMAL(18, 0);
UPDATE store.coin_network_stretch
SET min_withdraw_amount_small = min_withdraw_amount_digits
WHERE min_withdraw_amount_digits < 1000000000000000000;
UPDATE store.coin_network_stretch
SET min_withdraw_amount_large = min_withdraw_amount_digits * power_of_scale(min_withdraw_amount_scale), min_withdraw_amount_scale = NULL
WHERE min_withdraw_amount_digits >= 1000000000000000000;
ALTER TABLE store.coin_network_stretch DROP COLUMN min_withdraw_amount_digits;
ALTER TABLE store.coin_network_stretch RENAME COLUMN min_withdraw_amount_small TO min_withdraw_amount_digits;

ALTER TABLE store.coin_network_stretch ADD COLUMN max_withdraw_amount_large DECIMAL(38, 18);
ALTER TABLE store.coin_network_stretch ADD COLUMN max_withdraw_amount_small DECIMAL(18, 0);
UPDATE store.coin_network_stretch
SET max_withdraw_amount_small = max_withdraw_amount_digits
WHERE max_withdraw_amount_digits < 1000000000000000000;
UPDATE store.coin_network_stretch
SET max_withdraw_amount_large = max_withdraw_amount_digits * power_of_scale(max_withdraw_amount_scale), max_withdraw_amount_scale = NULL
WHERE max_withdraw_amount_digits >= 1000000000000000000;
ALTER TABLE store.coin_network_stretch DROP COLUMN max_withdraw_amount_digits;
ALTER TABLE store.coin_network_stretch RENAME COLUMN max_withdraw_amount_small TO max_withdraw_amount_digits;

ALTER TABLE store.coin_price_stretch ADD COLUMN price_usd_large DECIMAL(38, 18);
ALTER TABLE store.coin_price_stretch ADD COLUMN price_usd_small DECIMAL(18, 0);
UPDATE store.coin_price_stretch
SET price_usd_small = price_usd_digits
WHERE price_usd_digits < 1000000000000000000;
UPDATE store.coin_price_stretch
SET price_usd_large = price_usd_digits * power_of_scale(price_usd_scale), price_usd_scale = NULL
WHERE price_usd_digits >= 1000000000000000000;
ALTER TABLE store.coin_price_stretch DROP COLUMN price_usd_digits;
ALTER TABLE store.coin_price_stretch RENAME COLUMN price_usd_small TO price_usd_digits;

ALTER TABLE store.withdraw_fee_stretch ADD COLUMN fee_amount_large DECIMAL(38, 18);
ALTER TABLE store.withdraw_fee_stretch ADD COLUMN fee_amount_small DECIMAL(18, 0);
UPDATE store.withdraw_fee_stretch
SET fee_amount_small = fee_amount_digits
WHERE fee_amount_digits < 1000000000000000000;
UPDATE store.withdraw_fee_stretch
SET fee_amount_large = fee_amount_digits * power_of_scale(fee_amount_scale), fee_amount_scale = NULL
WHERE fee_amount_digits >= 1000000000000000000;
ALTER TABLE store.withdraw_fee_stretch DROP COLUMN fee_amount_digits;
ALTER TABLE store.withdraw_fee_stretch RENAME COLUMN fee_amount_small TO fee_amount_digits;
DROP MACRO power_of_scale;
