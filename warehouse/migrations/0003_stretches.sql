-- grain: closed stretches: one row per entity and stretch of polls with the same answer; what is still so is in <dataset>_current
-- key: <dataset>_stretch (entity_id, from_no); dataset_now.dataset
-- consumers: ccpay_io/store writes them; views read them through store.<dataset>_span
-- Replaces <dataset>_observation and poll_gap. A stretch is written when it ends, with both of its
-- ends, so no reader needs a window over the history to know how long an answer held. Polls are
-- numbered densely (poll_no), because two small numbers take a fifth of the space of two times.
-- Amounts at rest are digits and scale (0.5 is 5 and 1): half the space of a DECIMAL(38, 18).

-- poll_no counts all polls; snapshot_no is the poll whose answers a poll's snapshot shows: its own, or,
-- without any, the last ones of its feed before it.
CREATE TABLE store.numbered_poll (
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
    raw_size BIGINT,
    poll_no BIGINT NOT NULL,
    snapshot_no BIGINT
);
INSERT INTO store.numbered_poll
SELECT *, max(CASE WHEN outcome IN ('ok', 'partial') THEN poll_no END) OVER (PARTITION BY feed ORDER BY poll_no)
FROM (SELECT *, row_number() OVER (ORDER BY poll_id) AS poll_no FROM store.poll)
ORDER BY poll_no;
DROP TABLE store.poll;
ALTER TABLE store.numbered_poll RENAME TO poll;

-- The last good poll of each dataset, and since when its feed has been silent.
CREATE TABLE store.dataset_now (
    dataset VARCHAR NOT NULL,
    last_poll_id BIGINT NOT NULL,
    good_no BIGINT,
    good_at TIMESTAMPTZ,
    silent_no BIGINT,
    silent_at TIMESTAMPTZ,
    silent_reason VARCHAR
);

-- Only for this migration: turns of an entity's story, from observations, gaps and polls without answers.
CREATE MACRO store.old_turns(dataset_name, observations, primary_feed, feeds) AS TABLE
WITH poll AS (
    SELECT poll_no, poll_id, outcome IN ('ok', 'partial') AS is_good
    FROM store.poll
    WHERE list_contains(feeds, feed) AND (outcome IN ('ok', 'partial') OR feed = primary_feed)
),

observation AS (
    SELECT o.entity_id, o.state, o.poll_id, p.poll_no
    FROM query_table(observations) AS o
    JOIN store.poll AS p USING (poll_id)
),

gap AS (
    SELECT unnest(g.entity_ids) AS entity_id, p.poll_no, g.reason
    FROM store.poll_gap AS g
    JOIN poll AS p USING (poll_id)
    WHERE g.dataset = dataset_name AND p.is_good
),

silence AS (
    SELECT poll_no
    FROM (SELECT *, lag(is_good) OVER (ORDER BY poll_no) AS was_good FROM poll)
    WHERE NOT is_good AND was_good
),

ending AS (
    SELECT entity_id, poll_no, reason FROM gap
    UNION ALL
    SELECT e.entity_id, s.poll_no, NULL
    FROM silence AS s
    JOIN (SELECT entity_id, min(poll_no) AS first_no FROM observation GROUP BY entity_id) AS e
        ON e.first_no < s.poll_no
),

-- The next good poll after a gap or a silence, when it says nothing new.
resumed AS (
    SELECT DISTINCT e.entity_id, p.poll_no
    FROM ending AS e
    ASOF JOIN (FROM poll WHERE is_good) AS p ON p.poll_no > e.poll_no
    ANTI JOIN gap AS g ON g.entity_id = e.entity_id AND g.poll_no = p.poll_no
    ANTI JOIN observation AS o ON o.entity_id = e.entity_id AND o.poll_no = p.poll_no
),

event AS (
    SELECT entity_id, poll_no, 'answer' AS kind, NULL AS reason FROM observation
    UNION ALL
    SELECT entity_id, poll_no, 'answer', NULL FROM resumed
    UNION ALL
    SELECT entity_id, poll_no, CASE WHEN reason IS NULL THEN 'none' ELSE 'gap' END, reason FROM ending
),

turn AS (
    SELECT *
    FROM event
    QUALIFY kind <> 'gap' OR reason IS DISTINCT FROM lag(reason) OVER (PARTITION BY entity_id ORDER BY poll_no)
)

SELECT
    t.entity_id,
    t.poll_no AS from_no,
    lead(t.poll_no) OVER (PARTITION BY t.entity_id ORDER BY t.poll_no) AS to_no,
    t.kind,
    t.reason AS unknown_reason,
    o.state,
    o.poll_id AS answer_poll_id
FROM turn AS t
ASOF LEFT JOIN observation AS o ON o.entity_id = t.entity_id AND o.poll_no <= t.poll_no;

CREATE TABLE store.chain_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    status_raw VARCHAR,
    is_evm BOOLEAN,
    needs_memo BOOLEAN,
    confirmations BIGINT
);
CREATE TEMP TABLE old_turn AS
FROM store.old_turns('chain', 'store.chain_observation', 'chains', ['chains']);
INSERT INTO store.chain_stretch BY NAME
SELECT t.entity_id, t.from_no, t.to_no, t.state, t.unknown_reason,
    CASE WHEN t.kind = 'answer' THEN o.status_raw END AS status_raw,
    CASE WHEN t.kind = 'answer' THEN o.is_evm END AS is_evm,
    CASE WHEN t.kind = 'answer' THEN o.needs_memo END AS needs_memo,
    CASE WHEN t.kind = 'answer' THEN o.confirmations END AS confirmations
FROM old_turn AS t
LEFT JOIN store.chain_observation AS o ON o.entity_id = t.entity_id AND o.poll_id = t.answer_poll_id
WHERE t.kind <> 'none' AND t.to_no IS NOT NULL
ORDER BY t.to_no, t.entity_id;
INSERT INTO store.dataset_now
SELECT 'chain', max(poll_id), max(poll_no) FILTER (WHERE is_good), max(observed_at) FILTER (WHERE is_good),
    min(poll_no) FILTER (WHERE is_silent), min(observed_at) FILTER (WHERE is_silent),
    arg_max(reason, poll_no) FILTER (WHERE is_silent)
FROM (
    SELECT *, NOT is_good AND poll_no > coalesce(max(poll_no) FILTER (WHERE is_good) OVER (), 0) AS is_silent
    FROM (
        SELECT poll_no, poll_id, observed_at, outcome IN ('ok', 'partial') AS is_good,
            coalesce(coalesce(error_code || ' ', '') || error_name, error_code::VARCHAR, 'no_answer') AS reason
        FROM store.poll
        WHERE list_contains(['chains'], feed) AND (outcome IN ('ok', 'partial') OR feed = 'chains')
    )
)
HAVING count(*) > 0;
CREATE TABLE store.new_current AS
SELECT
    e.entity_id,
    c.* EXCLUDE (entity_id),
    CASE WHEN c.state = 'absent' THEN (SELECT good_at FROM store.dataset_now WHERE dataset = 'chain') ELSE c.answered_at END AS confirmed_at,
    k.state AS known_state,
    k.poll_id AS known_poll_id,
    t.from_no AS since_no,
    t.unknown_reason
FROM store.chain_entity AS e
LEFT JOIN store.chain_current AS c USING (entity_id)
LEFT JOIN (FROM old_turn WHERE to_no IS NULL AND kind <> 'none') AS t USING (entity_id)
LEFT JOIN (
    SELECT entity_id, state, poll_id
    FROM (
        SELECT *, state IS DISTINCT FROM lag(state) OVER (PARTITION BY entity_id ORDER BY poll_id) AS begins
        FROM store.chain_observation
    )
    WHERE begins AND state <> 'unknown'
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_id DESC) = 1
) AS k USING (entity_id)
ORDER BY e.entity_id;
DROP TABLE store.chain_current;
ALTER TABLE store.new_current RENAME TO chain_current;
DROP TABLE store.chain_observation;
DROP TABLE old_turn;

CREATE TABLE store.fiat_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    fiat VARCHAR,
    usd_rate_digits DECIMAL(38, 0),
    usd_rate_scale BIGINT
);
CREATE TEMP TABLE old_turn AS
FROM store.old_turns('fiat', 'store.fiat_observation', 'fiats', ['fiats']);
INSERT INTO store.fiat_stretch BY NAME
SELECT t.entity_id, t.from_no, t.to_no, t.state, t.unknown_reason,
    CASE WHEN t.kind = 'answer' THEN o.fiat END AS fiat,
    CASE WHEN t.kind = 'answer' THEN replace(rtrim(o.usd_rate::VARCHAR, '0'), '.', '')::DECIMAL(38, 0) END AS usd_rate_digits,
    CASE WHEN t.kind = 'answer' THEN length(rtrim(o.usd_rate::VARCHAR, '0')) - strpos(o.usd_rate::VARCHAR, '.') END AS usd_rate_scale
FROM old_turn AS t
LEFT JOIN store.fiat_observation AS o ON o.entity_id = t.entity_id AND o.poll_id = t.answer_poll_id
WHERE t.kind <> 'none' AND t.to_no IS NOT NULL
ORDER BY t.to_no, t.entity_id;
INSERT INTO store.dataset_now
SELECT 'fiat', max(poll_id), max(poll_no) FILTER (WHERE is_good), max(observed_at) FILTER (WHERE is_good),
    min(poll_no) FILTER (WHERE is_silent), min(observed_at) FILTER (WHERE is_silent),
    arg_max(reason, poll_no) FILTER (WHERE is_silent)
FROM (
    SELECT *, NOT is_good AND poll_no > coalesce(max(poll_no) FILTER (WHERE is_good) OVER (), 0) AS is_silent
    FROM (
        SELECT poll_no, poll_id, observed_at, outcome IN ('ok', 'partial') AS is_good,
            coalesce(coalesce(error_code || ' ', '') || error_name, error_code::VARCHAR, 'no_answer') AS reason
        FROM store.poll
        WHERE list_contains(['fiats'], feed) AND (outcome IN ('ok', 'partial') OR feed = 'fiats')
    )
)
HAVING count(*) > 0;
CREATE TABLE store.new_current AS
SELECT
    e.entity_id,
    c.* EXCLUDE (entity_id),
    CASE WHEN c.state = 'absent' THEN (SELECT good_at FROM store.dataset_now WHERE dataset = 'fiat') ELSE c.answered_at END AS confirmed_at,
    k.state AS known_state,
    k.poll_id AS known_poll_id,
    t.from_no AS since_no,
    t.unknown_reason
FROM store.fiat_entity AS e
LEFT JOIN store.fiat_current AS c USING (entity_id)
LEFT JOIN (FROM old_turn WHERE to_no IS NULL AND kind <> 'none') AS t USING (entity_id)
LEFT JOIN (
    SELECT entity_id, state, poll_id
    FROM (
        SELECT *, state IS DISTINCT FROM lag(state) OVER (PARTITION BY entity_id ORDER BY poll_id) AS begins
        FROM store.fiat_observation
    )
    WHERE begins AND state <> 'unknown'
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_id DESC) = 1
) AS k USING (entity_id)
ORDER BY e.entity_id;
DROP TABLE store.fiat_current;
ALTER TABLE store.new_current RENAME TO fiat_current;
DROP TABLE store.fiat_observation;
DROP TABLE old_turn;

CREATE TABLE store.swap_coin_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    coin VARCHAR
);
CREATE TEMP TABLE old_turn AS
FROM store.old_turns('swap_coin', 'store.swap_coin_observation', 'coins', ['coins']);
INSERT INTO store.swap_coin_stretch BY NAME
SELECT t.entity_id, t.from_no, t.to_no, t.state, t.unknown_reason,
    CASE WHEN t.kind = 'answer' THEN o.coin END AS coin
FROM old_turn AS t
LEFT JOIN store.swap_coin_observation AS o ON o.entity_id = t.entity_id AND o.poll_id = t.answer_poll_id
WHERE t.kind <> 'none' AND t.to_no IS NOT NULL
ORDER BY t.to_no, t.entity_id;
INSERT INTO store.dataset_now
SELECT 'swap_coin', max(poll_id), max(poll_no) FILTER (WHERE is_good), max(observed_at) FILTER (WHERE is_good),
    min(poll_no) FILTER (WHERE is_silent), min(observed_at) FILTER (WHERE is_silent),
    arg_max(reason, poll_no) FILTER (WHERE is_silent)
FROM (
    SELECT *, NOT is_good AND poll_no > coalesce(max(poll_no) FILTER (WHERE is_good) OVER (), 0) AS is_silent
    FROM (
        SELECT poll_no, poll_id, observed_at, outcome IN ('ok', 'partial') AS is_good,
            coalesce(coalesce(error_code || ' ', '') || error_name, error_code::VARCHAR, 'no_answer') AS reason
        FROM store.poll
        WHERE list_contains(['coins'], feed) AND (outcome IN ('ok', 'partial') OR feed = 'coins')
    )
)
HAVING count(*) > 0;
CREATE TABLE store.new_current AS
SELECT
    e.entity_id,
    c.* EXCLUDE (entity_id),
    CASE WHEN c.state = 'absent' THEN (SELECT good_at FROM store.dataset_now WHERE dataset = 'swap_coin') ELSE c.answered_at END AS confirmed_at,
    k.state AS known_state,
    k.poll_id AS known_poll_id,
    t.from_no AS since_no,
    t.unknown_reason
FROM store.swap_coin_entity AS e
LEFT JOIN store.swap_coin_current AS c USING (entity_id)
LEFT JOIN (FROM old_turn WHERE to_no IS NULL AND kind <> 'none') AS t USING (entity_id)
LEFT JOIN (
    SELECT entity_id, state, poll_id
    FROM (
        SELECT *, state IS DISTINCT FROM lag(state) OVER (PARTITION BY entity_id ORDER BY poll_id) AS begins
        FROM store.swap_coin_observation
    )
    WHERE begins AND state <> 'unknown'
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_id DESC) = 1
) AS k USING (entity_id)
ORDER BY e.entity_id;
DROP TABLE store.swap_coin_current;
ALTER TABLE store.new_current RENAME TO swap_coin_current;
DROP TABLE store.swap_coin_observation;
DROP TABLE old_turn;

CREATE TABLE store.coin_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    coin VARCHAR,
    status VARCHAR
);
CREATE TEMP TABLE old_turn AS
FROM store.old_turns('coin', 'store.coin_observation', 'networks', ['networks']);
INSERT INTO store.coin_stretch BY NAME
SELECT t.entity_id, t.from_no, t.to_no, t.state, t.unknown_reason,
    CASE WHEN t.kind = 'answer' THEN o.coin END AS coin,
    CASE WHEN t.kind = 'answer' THEN o.status END AS status
FROM old_turn AS t
LEFT JOIN store.coin_observation AS o ON o.entity_id = t.entity_id AND o.poll_id = t.answer_poll_id
WHERE t.kind <> 'none' AND t.to_no IS NOT NULL
ORDER BY t.to_no, t.entity_id;
INSERT INTO store.dataset_now
SELECT 'coin', max(poll_id), max(poll_no) FILTER (WHERE is_good), max(observed_at) FILTER (WHERE is_good),
    min(poll_no) FILTER (WHERE is_silent), min(observed_at) FILTER (WHERE is_silent),
    arg_max(reason, poll_no) FILTER (WHERE is_silent)
FROM (
    SELECT *, NOT is_good AND poll_no > coalesce(max(poll_no) FILTER (WHERE is_good) OVER (), 0) AS is_silent
    FROM (
        SELECT poll_no, poll_id, observed_at, outcome IN ('ok', 'partial') AS is_good,
            coalesce(coalesce(error_code || ' ', '') || error_name, error_code::VARCHAR, 'no_answer') AS reason
        FROM store.poll
        WHERE list_contains(['networks'], feed) AND (outcome IN ('ok', 'partial') OR feed = 'networks')
    )
)
HAVING count(*) > 0;
CREATE TABLE store.new_current AS
SELECT
    e.entity_id,
    c.* EXCLUDE (entity_id),
    CASE WHEN c.state = 'absent' THEN (SELECT good_at FROM store.dataset_now WHERE dataset = 'coin') ELSE c.answered_at END AS confirmed_at,
    k.state AS known_state,
    k.poll_id AS known_poll_id,
    t.from_no AS since_no,
    t.unknown_reason
FROM store.coin_entity AS e
LEFT JOIN store.coin_current AS c USING (entity_id)
LEFT JOIN (FROM old_turn WHERE to_no IS NULL AND kind <> 'none') AS t USING (entity_id)
LEFT JOIN (
    SELECT entity_id, state, poll_id
    FROM (
        SELECT *, state IS DISTINCT FROM lag(state) OVER (PARTITION BY entity_id ORDER BY poll_id) AS begins
        FROM store.coin_observation
    )
    WHERE begins AND state <> 'unknown'
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_id DESC) = 1
) AS k USING (entity_id)
ORDER BY e.entity_id;
DROP TABLE store.coin_current;
ALTER TABLE store.new_current RENAME TO coin_current;
DROP TABLE store.coin_observation;
DROP TABLE old_turn;

CREATE TABLE store.coin_network_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    contract VARCHAR,
    "precision" BIGINT,
    can_deposit BOOLEAN,
    can_withdraw BOOLEAN,
    min_deposit_amount_digits DECIMAL(38, 0),
    min_deposit_amount_scale BIGINT,
    min_withdraw_amount_digits DECIMAL(38, 0),
    min_withdraw_amount_scale BIGINT,
    max_withdraw_amount_digits DECIMAL(38, 0),
    max_withdraw_amount_scale BIGINT,
    needs_memo BOOLEAN
);
CREATE TEMP TABLE old_turn AS
FROM store.old_turns('coin_network', 'store.coin_network_observation', 'networks', ['networks']);
INSERT INTO store.coin_network_stretch BY NAME
SELECT t.entity_id, t.from_no, t.to_no, t.state, t.unknown_reason,
    CASE WHEN t.kind = 'answer' THEN o.contract END AS contract,
    CASE WHEN t.kind = 'answer' THEN o."precision" END AS "precision",
    CASE WHEN t.kind = 'answer' THEN o.can_deposit END AS can_deposit,
    CASE WHEN t.kind = 'answer' THEN o.can_withdraw END AS can_withdraw,
    CASE WHEN t.kind = 'answer' THEN replace(rtrim(o.min_deposit_amount::VARCHAR, '0'), '.', '')::DECIMAL(38, 0) END AS min_deposit_amount_digits,
    CASE WHEN t.kind = 'answer' THEN length(rtrim(o.min_deposit_amount::VARCHAR, '0')) - strpos(o.min_deposit_amount::VARCHAR, '.') END AS min_deposit_amount_scale,
    CASE WHEN t.kind = 'answer' THEN replace(rtrim(o.min_withdraw_amount::VARCHAR, '0'), '.', '')::DECIMAL(38, 0) END AS min_withdraw_amount_digits,
    CASE WHEN t.kind = 'answer' THEN length(rtrim(o.min_withdraw_amount::VARCHAR, '0')) - strpos(o.min_withdraw_amount::VARCHAR, '.') END AS min_withdraw_amount_scale,
    CASE WHEN t.kind = 'answer' THEN replace(rtrim(o.max_withdraw_amount::VARCHAR, '0'), '.', '')::DECIMAL(38, 0) END AS max_withdraw_amount_digits,
    CASE WHEN t.kind = 'answer' THEN length(rtrim(o.max_withdraw_amount::VARCHAR, '0')) - strpos(o.max_withdraw_amount::VARCHAR, '.') END AS max_withdraw_amount_scale,
    CASE WHEN t.kind = 'answer' THEN o.needs_memo END AS needs_memo
FROM old_turn AS t
LEFT JOIN store.coin_network_observation AS o ON o.entity_id = t.entity_id AND o.poll_id = t.answer_poll_id
WHERE t.kind <> 'none' AND t.to_no IS NOT NULL
ORDER BY t.to_no, t.entity_id;
INSERT INTO store.dataset_now
SELECT 'coin_network', max(poll_id), max(poll_no) FILTER (WHERE is_good), max(observed_at) FILTER (WHERE is_good),
    min(poll_no) FILTER (WHERE is_silent), min(observed_at) FILTER (WHERE is_silent),
    arg_max(reason, poll_no) FILTER (WHERE is_silent)
FROM (
    SELECT *, NOT is_good AND poll_no > coalesce(max(poll_no) FILTER (WHERE is_good) OVER (), 0) AS is_silent
    FROM (
        SELECT poll_no, poll_id, observed_at, outcome IN ('ok', 'partial') AS is_good,
            coalesce(coalesce(error_code || ' ', '') || error_name, error_code::VARCHAR, 'no_answer') AS reason
        FROM store.poll
        WHERE list_contains(['networks'], feed) AND (outcome IN ('ok', 'partial') OR feed = 'networks')
    )
)
HAVING count(*) > 0;
CREATE TABLE store.new_current AS
SELECT
    e.entity_id,
    c.* EXCLUDE (entity_id),
    CASE WHEN c.state = 'absent' THEN (SELECT good_at FROM store.dataset_now WHERE dataset = 'coin_network') ELSE c.answered_at END AS confirmed_at,
    k.state AS known_state,
    k.poll_id AS known_poll_id,
    t.from_no AS since_no,
    t.unknown_reason
FROM store.coin_network_entity AS e
LEFT JOIN store.coin_network_current AS c USING (entity_id)
LEFT JOIN (FROM old_turn WHERE to_no IS NULL AND kind <> 'none') AS t USING (entity_id)
LEFT JOIN (
    SELECT entity_id, state, poll_id
    FROM (
        SELECT *, state IS DISTINCT FROM lag(state) OVER (PARTITION BY entity_id ORDER BY poll_id) AS begins
        FROM store.coin_network_observation
    )
    WHERE begins AND state <> 'unknown'
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_id DESC) = 1
) AS k USING (entity_id)
ORDER BY e.entity_id;
DROP TABLE store.coin_network_current;
ALTER TABLE store.new_current RENAME TO coin_network_current;
DROP TABLE store.coin_network_observation;
DROP TABLE old_turn;

CREATE TABLE store.coin_price_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    price_usd_digits DECIMAL(38, 0),
    price_usd_scale BIGINT
);
CREATE TEMP TABLE old_turn AS
FROM store.old_turns('coin_price', 'store.coin_price_observation', 'prices', ['networks', 'prices']);
INSERT INTO store.coin_price_stretch BY NAME
SELECT t.entity_id, t.from_no, t.to_no, t.state, t.unknown_reason,
    CASE WHEN t.kind = 'answer' THEN replace(rtrim(o.price_usd::VARCHAR, '0'), '.', '')::DECIMAL(38, 0) END AS price_usd_digits,
    CASE WHEN t.kind = 'answer' THEN length(rtrim(o.price_usd::VARCHAR, '0')) - strpos(o.price_usd::VARCHAR, '.') END AS price_usd_scale
FROM old_turn AS t
LEFT JOIN store.coin_price_observation AS o ON o.entity_id = t.entity_id AND o.poll_id = t.answer_poll_id
WHERE t.kind <> 'none' AND t.to_no IS NOT NULL
ORDER BY t.to_no, t.entity_id;
INSERT INTO store.dataset_now
SELECT 'coin_price', max(poll_id), max(poll_no) FILTER (WHERE is_good), max(observed_at) FILTER (WHERE is_good),
    min(poll_no) FILTER (WHERE is_silent), min(observed_at) FILTER (WHERE is_silent),
    arg_max(reason, poll_no) FILTER (WHERE is_silent)
FROM (
    SELECT *, NOT is_good AND poll_no > coalesce(max(poll_no) FILTER (WHERE is_good) OVER (), 0) AS is_silent
    FROM (
        SELECT poll_no, poll_id, observed_at, outcome IN ('ok', 'partial') AS is_good,
            coalesce(coalesce(error_code || ' ', '') || error_name, error_code::VARCHAR, 'no_answer') AS reason
        FROM store.poll
        WHERE list_contains(['networks', 'prices'], feed) AND (outcome IN ('ok', 'partial') OR feed = 'prices')
    )
)
HAVING count(*) > 0;
CREATE TABLE store.new_current AS
SELECT
    e.entity_id,
    c.* EXCLUDE (entity_id),
    CASE WHEN c.state = 'absent' THEN (SELECT good_at FROM store.dataset_now WHERE dataset = 'coin_price') ELSE c.answered_at END AS confirmed_at,
    k.state AS known_state,
    k.poll_id AS known_poll_id,
    t.from_no AS since_no,
    t.unknown_reason
FROM store.coin_price_entity AS e
LEFT JOIN store.coin_price_current AS c USING (entity_id)
LEFT JOIN (FROM old_turn WHERE to_no IS NULL AND kind <> 'none') AS t USING (entity_id)
LEFT JOIN (
    SELECT entity_id, state, poll_id
    FROM (
        SELECT *, state IS DISTINCT FROM lag(state) OVER (PARTITION BY entity_id ORDER BY poll_id) AS begins
        FROM store.coin_price_observation
    )
    WHERE begins AND state <> 'unknown'
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_id DESC) = 1
) AS k USING (entity_id)
ORDER BY e.entity_id;
DROP TABLE store.coin_price_current;
ALTER TABLE store.new_current RENAME TO coin_price_current;
DROP TABLE store.coin_price_observation;
DROP TABLE old_turn;

CREATE TABLE store.withdraw_fee_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    refusal_code BIGINT,
    fee_amount_digits DECIMAL(38, 0),
    fee_amount_scale BIGINT,
    fee_coin_id BIGINT,
    fee_coin VARCHAR
);
CREATE TEMP TABLE old_turn AS
FROM store.old_turns('withdraw_fee', 'store.withdraw_fee_observation', 'fees', ['fees']);
INSERT INTO store.withdraw_fee_stretch BY NAME
SELECT t.entity_id, t.from_no, t.to_no, t.state, t.unknown_reason,
    CASE WHEN t.kind = 'answer' THEN o.refusal_code END AS refusal_code,
    CASE WHEN t.kind = 'answer' THEN replace(rtrim(o.fee_amount::VARCHAR, '0'), '.', '')::DECIMAL(38, 0) END AS fee_amount_digits,
    CASE WHEN t.kind = 'answer' THEN length(rtrim(o.fee_amount::VARCHAR, '0')) - strpos(o.fee_amount::VARCHAR, '.') END AS fee_amount_scale,
    CASE WHEN t.kind = 'answer' THEN o.fee_coin_id END AS fee_coin_id,
    CASE WHEN t.kind = 'answer' THEN o.fee_coin END AS fee_coin
FROM old_turn AS t
LEFT JOIN store.withdraw_fee_observation AS o ON o.entity_id = t.entity_id AND o.poll_id = t.answer_poll_id
WHERE t.kind <> 'none' AND t.to_no IS NOT NULL
ORDER BY t.to_no, t.entity_id;
INSERT INTO store.dataset_now
SELECT 'withdraw_fee', max(poll_id), max(poll_no) FILTER (WHERE is_good), max(observed_at) FILTER (WHERE is_good),
    min(poll_no) FILTER (WHERE is_silent), min(observed_at) FILTER (WHERE is_silent),
    arg_max(reason, poll_no) FILTER (WHERE is_silent)
FROM (
    SELECT *, NOT is_good AND poll_no > coalesce(max(poll_no) FILTER (WHERE is_good) OVER (), 0) AS is_silent
    FROM (
        SELECT poll_no, poll_id, observed_at, outcome IN ('ok', 'partial') AS is_good,
            coalesce(coalesce(error_code || ' ', '') || error_name, error_code::VARCHAR, 'no_answer') AS reason
        FROM store.poll
        WHERE list_contains(['fees'], feed) AND (outcome IN ('ok', 'partial') OR feed = 'fees')
    )
)
HAVING count(*) > 0;
CREATE TABLE store.new_current AS
SELECT
    e.entity_id,
    c.* EXCLUDE (entity_id),
    CASE WHEN c.state = 'absent' THEN (SELECT good_at FROM store.dataset_now WHERE dataset = 'withdraw_fee') ELSE c.answered_at END AS confirmed_at,
    k.state AS known_state,
    k.poll_id AS known_poll_id,
    t.from_no AS since_no,
    t.unknown_reason
FROM store.withdraw_fee_entity AS e
LEFT JOIN store.withdraw_fee_current AS c USING (entity_id)
LEFT JOIN (FROM old_turn WHERE to_no IS NULL AND kind <> 'none') AS t USING (entity_id)
LEFT JOIN (
    SELECT entity_id, state, poll_id
    FROM (
        SELECT *, state IS DISTINCT FROM lag(state) OVER (PARTITION BY entity_id ORDER BY poll_id) AS begins
        FROM store.withdraw_fee_observation
    )
    WHERE begins AND state <> 'unknown'
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_id DESC) = 1
) AS k USING (entity_id)
ORDER BY e.entity_id;
DROP TABLE store.withdraw_fee_current;
ALTER TABLE store.new_current RENAME TO withdraw_fee_current;
DROP TABLE store.withdraw_fee_observation;
DROP TABLE old_turn;

CREATE TABLE store.address_validity_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    refusal_code BIGINT,
    is_valid BOOLEAN
);
CREATE TEMP TABLE old_turn AS
FROM store.old_turns('address_validity', 'store.address_validity_observation', 'watchlist', ['watchlist']);
INSERT INTO store.address_validity_stretch BY NAME
SELECT t.entity_id, t.from_no, t.to_no, t.state, t.unknown_reason,
    CASE WHEN t.kind = 'answer' THEN o.refusal_code END AS refusal_code,
    CASE WHEN t.kind = 'answer' THEN o.is_valid END AS is_valid
FROM old_turn AS t
LEFT JOIN store.address_validity_observation AS o ON o.entity_id = t.entity_id AND o.poll_id = t.answer_poll_id
WHERE t.kind <> 'none' AND t.to_no IS NOT NULL
ORDER BY t.to_no, t.entity_id;
INSERT INTO store.dataset_now
SELECT 'address_validity', max(poll_id), max(poll_no) FILTER (WHERE is_good), max(observed_at) FILTER (WHERE is_good),
    min(poll_no) FILTER (WHERE is_silent), min(observed_at) FILTER (WHERE is_silent),
    arg_max(reason, poll_no) FILTER (WHERE is_silent)
FROM (
    SELECT *, NOT is_good AND poll_no > coalesce(max(poll_no) FILTER (WHERE is_good) OVER (), 0) AS is_silent
    FROM (
        SELECT poll_no, poll_id, observed_at, outcome IN ('ok', 'partial') AS is_good,
            coalesce(coalesce(error_code || ' ', '') || error_name, error_code::VARCHAR, 'no_answer') AS reason
        FROM store.poll
        WHERE list_contains(['watchlist'], feed) AND (outcome IN ('ok', 'partial') OR feed = 'watchlist')
    )
)
HAVING count(*) > 0;
CREATE TABLE store.new_current AS
SELECT
    e.entity_id,
    c.* EXCLUDE (entity_id),
    CASE WHEN c.state = 'absent' THEN (SELECT good_at FROM store.dataset_now WHERE dataset = 'address_validity') ELSE c.answered_at END AS confirmed_at,
    k.state AS known_state,
    k.poll_id AS known_poll_id,
    t.from_no AS since_no,
    t.unknown_reason
FROM store.address_validity_entity AS e
LEFT JOIN store.address_validity_current AS c USING (entity_id)
LEFT JOIN (FROM old_turn WHERE to_no IS NULL AND kind <> 'none') AS t USING (entity_id)
LEFT JOIN (
    SELECT entity_id, state, poll_id
    FROM (
        SELECT *, state IS DISTINCT FROM lag(state) OVER (PARTITION BY entity_id ORDER BY poll_id) AS begins
        FROM store.address_validity_observation
    )
    WHERE begins AND state <> 'unknown'
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_id DESC) = 1
) AS k USING (entity_id)
ORDER BY e.entity_id;
DROP TABLE store.address_validity_current;
ALTER TABLE store.new_current RENAME TO address_validity_current;
DROP TABLE store.address_validity_observation;
DROP TABLE old_turn;

CREATE TABLE store.cwallet_user_stretch (
    entity_id BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state VARCHAR,
    unknown_reason VARCHAR,
    refusal_code BIGINT,
    user_name VARCHAR
);
CREATE TEMP TABLE old_turn AS
FROM store.old_turns('cwallet_user', 'store.cwallet_user_observation', 'watchlist', ['watchlist']);
INSERT INTO store.cwallet_user_stretch BY NAME
SELECT t.entity_id, t.from_no, t.to_no, t.state, t.unknown_reason,
    CASE WHEN t.kind = 'answer' THEN o.refusal_code END AS refusal_code,
    CASE WHEN t.kind = 'answer' THEN o.user_name END AS user_name
FROM old_turn AS t
LEFT JOIN store.cwallet_user_observation AS o ON o.entity_id = t.entity_id AND o.poll_id = t.answer_poll_id
WHERE t.kind <> 'none' AND t.to_no IS NOT NULL
ORDER BY t.to_no, t.entity_id;
INSERT INTO store.dataset_now
SELECT 'cwallet_user', max(poll_id), max(poll_no) FILTER (WHERE is_good), max(observed_at) FILTER (WHERE is_good),
    min(poll_no) FILTER (WHERE is_silent), min(observed_at) FILTER (WHERE is_silent),
    arg_max(reason, poll_no) FILTER (WHERE is_silent)
FROM (
    SELECT *, NOT is_good AND poll_no > coalesce(max(poll_no) FILTER (WHERE is_good) OVER (), 0) AS is_silent
    FROM (
        SELECT poll_no, poll_id, observed_at, outcome IN ('ok', 'partial') AS is_good,
            coalesce(coalesce(error_code || ' ', '') || error_name, error_code::VARCHAR, 'no_answer') AS reason
        FROM store.poll
        WHERE list_contains(['watchlist'], feed) AND (outcome IN ('ok', 'partial') OR feed = 'watchlist')
    )
)
HAVING count(*) > 0;
CREATE TABLE store.new_current AS
SELECT
    e.entity_id,
    c.* EXCLUDE (entity_id),
    CASE WHEN c.state = 'absent' THEN (SELECT good_at FROM store.dataset_now WHERE dataset = 'cwallet_user') ELSE c.answered_at END AS confirmed_at,
    k.state AS known_state,
    k.poll_id AS known_poll_id,
    t.from_no AS since_no,
    t.unknown_reason
FROM store.cwallet_user_entity AS e
LEFT JOIN store.cwallet_user_current AS c USING (entity_id)
LEFT JOIN (FROM old_turn WHERE to_no IS NULL AND kind <> 'none') AS t USING (entity_id)
LEFT JOIN (
    SELECT entity_id, state, poll_id
    FROM (
        SELECT *, state IS DISTINCT FROM lag(state) OVER (PARTITION BY entity_id ORDER BY poll_id) AS begins
        FROM store.cwallet_user_observation
    )
    WHERE begins AND state <> 'unknown'
    QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY poll_id DESC) = 1
) AS k USING (entity_id)
ORDER BY e.entity_id;
DROP TABLE store.cwallet_user_current;
ALTER TABLE store.new_current RENAME TO cwallet_user_current;
DROP TABLE store.cwallet_user_observation;
DROP TABLE old_turn;

DROP MACRO TABLE store.old_turns;
DROP TABLE store.poll_gap;
