-- grain: one row per withdrawal that the merchant made, from the files given to `ccpay import`
-- key: record_id
-- consumers: ccpay_io/withdrawals writes it; withdrawal_cost_monthly makes real costs of it
-- Amounts are in units of the coin and of the fee coin. fee_amount and fee_coin_id are NULL together:
-- the file did not say what the withdrawal cost. source_file is a name without its folder.

CREATE TABLE store.withdrawal (
    record_id VARCHAR NOT NULL,
    withdrawn_at TIMESTAMPTZ NOT NULL,
    coin_id BIGINT NOT NULL,
    chain VARCHAR NOT NULL,
    amount DECIMAL(38, 18) NOT NULL,
    fee_amount DECIMAL(38, 18),
    fee_coin_id BIGINT,
    source_file VARCHAR NOT NULL,
    imported_at TIMESTAMPTZ NOT NULL
);
