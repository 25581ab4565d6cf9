-- macro: payout_route(coin, amount)
-- grain: a table macro: payout_route_ranking for one coin (symbol or id), with the routes that cannot take this amount excluded
-- key: coin_id, chain
-- consumers: ccpay route, analysts
-- example: SELECT cost_rank, chain, fee_usd, reason_excluded FROM payout_route('USDT', 500) ORDER BY cost_rank NULLS LAST
-- column cost_rank: 1 is the cheapest that can take the amount; NULL when excluded
-- column reason_excluded: why the route is excluded: its state, below_minimum or above_maximum
CREATE OR REPLACE MACRO payout_route(which_coin, amount) AS TABLE
WITH fit AS (
    SELECT
        r.* REPLACE (
            coalesce(
                r.reason_excluded,
                CASE
                    WHEN amount::DECIMAL(38, 18) < r.min_withdraw_amount THEN 'below_minimum'
                    WHEN amount::DECIMAL(38, 18) > r.max_withdraw_amount THEN 'above_maximum'
                END
            ) AS reason_excluded
        )
    FROM payout_route_ranking AS r
    WHERE r.coin = which_coin::VARCHAR OR r.coin_id = TRY_CAST(which_coin AS BIGINT)
)

SELECT * REPLACE (
    CASE
        WHEN reason_excluded IS NULL
            THEN rank() OVER (PARTITION BY coin_id, reason_excluded IS NULL ORDER BY fee_usd)
    END AS cost_rank
)
FROM fit;
