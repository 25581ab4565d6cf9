-- inner: store.fee_baselines
-- grain: a table macro: one row per pair and full hour from `since` on at which its fee was known: what is usual as of then
-- key: entity_id, hour
-- consumers: store.fee_spikes_since
-- example: SELECT entity_id, hour, base FROM store.fee_baselines(now() - INTERVAL 1 DAY, NULL)
-- plain is the median of the samples of the 7 days before the hour. A sample above twice that is not
-- calm; base is the median of the calm samples of the 7 days that end with the hour, if there are 20.
-- So episodes are left out without having to be known, and a level that stays becomes the usual one
-- after some days. Units of store.fee_samples.
CREATE OR REPLACE MACRO store.fee_baselines(since, pairs) AS TABLE
WITH compared AS (
    SELECT *, quantile_disc(usd, 0.5) OVER (
        PARTITION BY entity_id ORDER BY hour RANGE BETWEEN 168 PRECEDING AND 1 PRECEDING
    ) AS plain
    FROM store.fee_samples(since - INTERVAL 14 DAY, pairs)
),

judged AS (
    SELECT *, plain IS NULL OR usd <= 2 * plain AS is_calm
    FROM compared
)

SELECT
    entity_id,
    hour,
    fee_coin_id,
    fee_amount,
    is_calm,
    plain,
    count(CASE WHEN is_calm THEN 1 END) OVER week AS sample_count,
    CASE WHEN sample_count >= 20 THEN quantile_disc(CASE WHEN is_calm THEN usd END, 0.5) OVER week END AS base
FROM judged
WINDOW week AS (PARTITION BY entity_id ORDER BY hour RANGE BETWEEN 167 PRECEDING AND CURRENT ROW);
