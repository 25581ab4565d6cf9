-- macro: exact_product(a, b)
-- grain: a scalar macro: a x b, exact and rounded half up to 12 places; NULL when it does not fit
-- key: none
-- consumers: every view that values an amount in USD or in a fiat
-- example: SELECT store.exact_product(0.05, 3000)
-- A plain DECIMAL(38,18) x DECIMAL(38,18) overflows at 0.05 x 3000, so whole and fractional parts
-- are multiplied apart. Only the last product has more than 18 decimals; it is cut to 18, which
-- cannot change how the sum rounds to 12. Both factors are DECIMAL(38, 18) and not negative.
CREATE OR REPLACE MACRO store.whole(x) AS trunc(x)::DECIMAL(20, 0);
CREATE OR REPLACE MACRO store.part(x) AS (x::DECIMAL(38, 18) - trunc(x))::DECIMAL(18, 18);
CREATE OR REPLACE MACRO store.cut(x) AS
    CASE WHEN x::DECIMAL(19, 18) > x THEN x::DECIMAL(19, 18) - 0.000000000000000001 ELSE x::DECIMAL(19, 18) END;
CREATE OR REPLACE MACRO store.exact_product(a, b) AS TRY(
    (store.whole(a) * store.whole(b))::DECIMAL(38, 12)
    + round(
        (store.whole(a) * store.part(b))::DECIMAL(38, 18)
            + (store.part(a) * store.whole(b))::DECIMAL(38, 18)
            + store.cut(store.part(a) * store.part(b)),
        12
    )::DECIMAL(38, 12)
);
