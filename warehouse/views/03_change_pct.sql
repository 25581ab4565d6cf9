-- macro: change_pct(before, now)
-- grain: a scalar macro: relative change in percent, a derived ratio for people; NULL when there is nothing to compare
-- key: none
-- consumers: withdraw_fee_history, store.withdraw_fee_live
-- example: SELECT store.change_pct(1.0, 1.1)
CREATE OR REPLACE MACRO store.change_pct(was, becomes) AS
    round(100 * (becomes::DOUBLE / nullif(was, 0)::DOUBLE - 1), 6);
