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

-- The same from digits and scales, as amounts are stored: one product of integers, cut to 12 places.
-- Amounts of 19 and more digits are multiplied the long way. (10 ** n would be a DOUBLE.)
CREATE OR REPLACE MACRO store.power_of_ten(n) AS ([
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
    100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
    10000000000000000, 100000000000000000, 1000000000000000000, 10000000000000000000,
    100000000000000000000, 1000000000000000000000, 10000000000000000000000,
    100000000000000000000000, 1000000000000000000000000
]::HUGEINT[])[n + 1];
CREATE OR REPLACE MACRO store.rounded(digits, scale) AS
    CASE
        WHEN scale <= 12 THEN digits * store.power_of_ten(12 - scale)
        ELSE (digits + 5 * store.power_of_ten(scale - 13)) // store.power_of_ten(scale - 12)
    END;
CREATE OR REPLACE MACRO store.exact_product_of(a_digits, a_scale, b_digits, b_scale) AS
    CASE
        WHEN a_digits < 1000000000000000000 AND b_digits < 1000000000000000000 THEN TRY(
            store.rounded(a_digits::HUGEINT * b_digits::HUGEINT, a_scale + b_scale)::DECIMAL(38, 0)
            * 0.000000000001::DECIMAL(12, 12)
        )
        ELSE store.exact_product(store.amount(a_digits, a_scale), store.amount(b_digits, b_scale))
    END;
