-- grain: one row per sealed file: one month of one dataset, or of the ledger
-- key: store.sealed_file (dataset, month)
-- consumers: ccpay_io/store/sealing.py writes it; spans.py makes views over the files it lists
-- A month is the polls numbered after_no < poll_no <= until_no. A file that is not listed is garbage.

CREATE TABLE store.sealed_file (
    dataset VARCHAR NOT NULL,
    month DATE NOT NULL,
    name VARCHAR NOT NULL,
    after_no BIGINT NOT NULL,
    until_no BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    size BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL,
    sealed_at TIMESTAMPTZ NOT NULL
);
