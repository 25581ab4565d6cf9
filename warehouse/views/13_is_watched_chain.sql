-- macro: is_watched_chain(chain)
-- grain: a scalar macro: whether alerts treat this chain as watched
-- key: none
-- consumers: chain_status_now, the alert engine
-- example: SELECT store.is_watched_chain('TRX')
-- Watched = named in ccpay.toml, or carrying a coin named there; with neither named, every chain
-- that carries one of the merchant's own coins (and every chain before the coins are known).
CREATE OR REPLACE MACRO store.is_watched_chain(symbol) AS
    CASE
        WHEN EXISTS (FROM store.watch_setting WHERE kind IN ('chain', 'coin'))
            THEN EXISTS (FROM store.watch_setting AS w WHERE w.kind = 'chain' AND w.name = symbol)
                OR symbol IN (
                    SELECT ne.chain
                    FROM store.coin_network_entity AS ne
                    JOIN store.coin_network_current AS nc ON nc.entity_id = ne.entity_id
                    -- By whichever list names the coin.
                    JOIN main.coin AS c ON c.coin_id = ne.coin_id
                    JOIN store.watch_setting AS w ON w.kind = 'coin' AND w.name = c.coin
                    WHERE nc.state = 'ok'
                )
        WHEN EXISTS (FROM store.coin_network_current WHERE state = 'ok')
            THEN symbol IN (
                SELECT ne.chain
                FROM store.coin_network_entity AS ne
                JOIN store.coin_network_current AS nc ON nc.entity_id = ne.entity_id
                WHERE nc.state = 'ok'
            )
        ELSE true
    END;
