-- question: Which pairs have samples, and in which coin is the fee of each?
-- grain: one row per pair and fee coin
-- key: entity_id, fee_coin_id
-- consumers: the board, to name the rows of what it packs
SELECT s.entity_id, s.fee_coin_id, e.coin_id, e.chain, c.coin AS fee_coin
FROM (SELECT DISTINCT entity_id, fee_coin_id FROM sample) AS s
JOIN store.withdraw_fee_entity AS e ON e.entity_id = s.entity_id
LEFT JOIN coin AS c ON c.coin_id = s.fee_coin_id
ORDER BY e.coin_id, e.chain, s.fee_coin_id
