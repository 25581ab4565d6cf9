-- view: coin
-- grain: one row per coin that was ever listed, swappable or in the merchant's token list
-- key: coin_id (symbols need not be unique)
-- consumers: analysts, for names
-- example: SELECT coin_id, coin, coin_full_name, status FROM coin WHERE coin = 'USDT'
-- column coin_id: CCPayment's id of the coin
-- column coin: symbol of the coin
-- column coin_full_name: full name; NULL when only the swap list knows the coin
-- column status: Normal, Maintain, Pre-delisting or Delisted in the API's words; NULL when only the swap list knows the coin
-- column logo_url: logo of the coin
-- column first_seen_at: start of the first poll that listed it, readable or not, as its poll_id tells it
-- column last_seen_at: when it was last listed in a form that could be read
CREATE OR REPLACE VIEW coin AS
WITH listed AS (
    SELECT e.coin_id, c.coin, c.coin_full_name, c.status, c.logo_url, e.first_poll_id, c.answered_at
    FROM store.coin_entity AS e
    JOIN store.coin_current AS c USING (entity_id)
    WHERE c.answered_at IS NOT NULL
),

swappable AS (
    SELECT e.coin_id, c.coin, c.logo_url, e.first_poll_id, c.answered_at
    FROM store.swap_coin_entity AS e
    JOIN store.swap_coin_current AS c USING (entity_id)
    WHERE c.answered_at IS NOT NULL
)

SELECT
    coin_id,
    coalesce(l.coin, s.coin) AS coin,
    l.coin_full_name,
    l.status,
    coalesce(l.logo_url, s.logo_url) AS logo_url,
    make_timestamptz(least(l.first_poll_id, s.first_poll_id)) AS first_seen_at,
    greatest(l.answered_at, s.answered_at) AS last_seen_at
FROM listed AS l
FULL JOIN swappable AS s USING (coin_id);
