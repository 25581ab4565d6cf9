-- view: payout_route_ranking
-- grain: one row per coin and chain that it could be paid out on, cheapest usable one first
-- key: coin_id, chain
-- consumers: treasury, ccpay route, alert messages
-- example: SELECT cost_rank, chain, fee_usd, saves_vs_worst_usd FROM payout_route_ranking WHERE coin = 'USDT' ORDER BY cost_rank NULLS LAST
-- column coin_id: CCPayment's id of the coin that is paid out
-- column coin: its symbol
-- column cost_rank: 1 is the cheapest; NULL when the route is excluded or its cost in USD is not known
-- column chain: the chain it is paid out on
-- column fee_usd: the fee in US dollars now
-- column min_withdraw_amount: smallest withdrawal, in units of the coin
-- column max_withdraw_amount: largest withdrawal, in units of the coin; NULL when there is no limit
-- column needs_memo: whether a memo or tag is needed on this chain
-- column saves_vs_worst_usd: what this route costs less than the dearest usable one
-- column saves_vs_default_usd: what it costs less than the user's default route of this coin (ccpay.toml); NULL without one
-- column route_state: usable, blocked:<why> or unknown:<why>
-- column reason_excluded: why the route has no rank; NULL when it has one
-- column data_age_s: seconds since the fee was last answered
CREATE OR REPLACE VIEW payout_route_ranking AS
WITH route AS (
    SELECT
        f.*,
        n.needs_memo,
        CASE
            WHEN f.route_state <> 'usable' THEN f.route_state
            WHEN f.is_stale THEN 'stale'
            WHEN f.fee_usd IS NULL THEN f.fee_usd_reason
        END AS reason_excluded
    FROM withdraw_fee_now AS f
    LEFT JOIN store.withdraw_fee_ready AS n ON n.coin_id = f.coin_id AND n.chain = f.chain
),

ranked AS (
    SELECT
        r.*,
        CASE WHEN r.reason_excluded IS NULL THEN r.fee_usd END AS usable_usd,
        max(CASE WHEN r.reason_excluded IS NULL THEN r.fee_usd END) OVER (PARTITION BY r.coin_id) AS worst_usd,
        max(CASE WHEN d.value = r.chain THEN r.fee_usd END) OVER (PARTITION BY r.coin_id) AS default_usd
    FROM route AS r
    LEFT JOIN store.watch_setting AS d ON d.kind = 'default_route' AND d.name = r.coin
)

SELECT
    coin_id,
    coin,
    CASE
        WHEN reason_excluded IS NULL
            THEN rank() OVER (PARTITION BY coin_id ORDER BY usable_usd NULLS LAST)
    END AS cost_rank,
    chain,
    fee_usd,
    min_withdraw_amount,
    max_withdraw_amount,
    needs_memo,
    worst_usd - usable_usd AS saves_vs_worst_usd,
    default_usd - usable_usd AS saves_vs_default_usd,
    route_state,
    reason_excluded,
    data_age_s
FROM ranked;
