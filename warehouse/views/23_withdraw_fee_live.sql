-- inner: store.withdraw_fee_live
-- grain: one row per (coin, chain) pair that exists now, as the last commit left it
-- key: coin_id, chain
-- consumers: the table store.withdraw_fee_ready, which is made from it at each commit
-- example: SELECT coin, chain, fee_amount FROM store.withdraw_fee_live
CREATE OR REPLACE VIEW store.withdraw_fee_live AS
-- The fee poll that was the last one a day before the last one. Rows that are not sealed are enough, as a
-- month stays for two days after its end; where none was polled for so long, what has lasted since is known.
WITH day_ago AS (
    SELECT arg_max(p.snapshot_no, p.poll_no) AS snapshot_no, arg_max(p.outcome, p.poll_no) AS outcome
    FROM store.poll AS p
    JOIN store.dataset_now AS d ON d.dataset = 'withdraw_fee'
    JOIN store.poll AS l ON l.poll_id = d.last_poll_id
    WHERE p.feed = 'fees' AND p.observed_at <= l.observed_at - INTERVAL 24 HOUR
),

was AS (
    SELECT
        s.entity_id,
        s.fee_coin_id,
        coalesce(store.amount(s.fee_amount_digits, s.fee_amount_scale), s.fee_amount_large) AS fee_amount
    FROM day_ago AS p
    JOIN store.withdraw_fee_stretch AS s ON s.from_no <= p.snapshot_no AND s.to_no > p.snapshot_no
    WHERE s.unknown_reason IS NULL AND s.state = 'ok'
),

pair AS (
    SELECT
        e.coin_id,
        e.chain,
        d.last_poll_id AS poll_id,
        c.refusal_code,
        c.fee_amount,
        -- Products of digits are ten times as quick as those of DECIMAL(38, 18).
        store.digits(c.fee_amount) AS fee_digits,
        store.scale(c.fee_amount) AS fee_scale,
        c.fee_coin_id,
        c.fee_coin,
        c.answered_at,
        CASE WHEN d.silent_no IS NULL THEN c.unknown_reason ELSE d.silent_reason END AS unknown_reason,
        CASE WHEN d.silent_no IS NULL AND c.unknown_reason IS NULL THEN c.state ELSE 'unknown' END AS state,
        CASE
            -- In a poll without answers nothing was known.
            WHEN p.outcome NOT IN ('ok', 'partial') THEN NULL
            WHEN c.since_no <= p.snapshot_no THEN c.fee_amount
            WHEN w.fee_coin_id = c.fee_coin_id THEN w.fee_amount
        END AS fee_amount_24h_ago
    FROM store.withdraw_fee_entity AS e
    JOIN store.withdraw_fee_current AS c USING (entity_id)
    JOIN store.dataset_now AS d ON d.dataset = 'withdraw_fee'
    CROSS JOIN day_ago AS p
    LEFT JOIN was AS w ON w.entity_id = c.entity_id
    -- What no longer exists is no pair; nor is, in a poll without answers, what was never answered.
    WHERE c.state <> 'absent' OR (d.silent_no IS NULL AND c.unknown_reason IS NOT NULL)
),

price AS (
    SELECT
        e.coin_id,
        c.price_usd,
        store.digits(c.price_usd) AS price_digits,
        store.scale(c.price_usd) AS price_scale,
        c.answered_at
    FROM store.coin_price_entity AS e
    JOIN store.coin_price_current AS c USING (entity_id)
    WHERE c.state = 'ok'
),

network AS (
    SELECT
        e.coin_id,
        e.chain,
        c.min_withdraw_amount,
        nullif(c.max_withdraw_amount, 0) AS max_withdraw_amount,
        c.can_withdraw,
        c.needs_memo
    FROM store.coin_network_entity AS e
    JOIN store.coin_network_current AS c USING (entity_id)
    WHERE c.state = 'ok'
)

SELECT
    p.coin_id,
    coin.coin,
    p.chain,
    p.state,
    CASE WHEN p.state = 'refused' THEN p.refusal_code END AS refusal_code,
    p.unknown_reason,
    CASE WHEN p.state = 'ok' THEN p.fee_amount END AS fee_amount,
    CASE WHEN p.state = 'ok' THEN p.fee_coin_id END AS fee_coin_id,
    CASE WHEN p.state = 'ok' THEN p.fee_coin END AS fee_coin,
    CASE WHEN p.state = 'ok' THEN p.fee_amount_24h_ago END AS fee_amount_24h_ago,
    CASE WHEN p.state = 'ok' THEN store.change_pct(p.fee_amount_24h_ago, p.fee_amount) END AS fee_amount_change_24h_pct,
    -- Whether the price is too old is known only when somebody asks; from when it is, already here.
    CASE
        WHEN p.state = 'ok'
            THEN store.exact_product_of(p.fee_amount, fee_digits, fee_scale, price.price_usd, price_digits, price_scale)
    END AS fee_usd_then,
    CASE WHEN p.state = 'ok' THEN price.answered_at END AS priced_at,
    CASE WHEN p.state = 'ok' THEN store.price_stale_from(price.answered_at) END AS price_stale_from,
    n.min_withdraw_amount,
    n.max_withdraw_amount,
    n.can_withdraw,
    coalesce(n.needs_memo, s.needs_memo) AS needs_memo,
    CASE
        WHEN s.status = 'maintenance' THEN 'blocked:maintenance'
        WHEN s.status = 'absent' THEN 'blocked:chain_absent'
        WHEN n.can_withdraw = false THEN 'blocked:can_withdraw_false'
        WHEN p.state = 'refused' THEN 'blocked:' || p.refusal_code
        WHEN p.state = 'unknown' THEN 'unknown:' || p.unknown_reason
        WHEN s.status = 'unknown' THEN 'unknown:' || s.unknown_reason
        ELSE 'usable'
    END AS route_state,
    p.poll_id,
    p.answered_at AS observed_at,
    store.stale_from('fees', p.answered_at) AS stale_from
FROM pair AS p
LEFT JOIN price ON price.coin_id = p.fee_coin_id
LEFT JOIN main.coin ON coin.coin_id = p.coin_id
LEFT JOIN network AS n ON n.coin_id = p.coin_id AND n.chain = p.chain
LEFT JOIN store.chain_status_ready AS s ON s.chain = p.chain
ORDER BY p.coin_id, p.chain;
