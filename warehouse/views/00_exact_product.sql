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
-- Amounts of 19 and more digits, whose digits are NULL, are multiplied the long way. (10 ** n would be a DOUBLE.)
-- The list is written as text, or each use of it would be 25 constants for the planner to look at.
CREATE OR REPLACE MACRO store.power_of_ten(n) AS ('[
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
    100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
    10000000000000000, 100000000000000000, 1000000000000000000, 10000000000000000000,
    100000000000000000000, 1000000000000000000000, 10000000000000000000000,
    100000000000000000000000, 1000000000000000000000000
]'::HUGEINT[])[n + 1];
-- Integers of 128 bits are divided fifteen times as slowly as those of 64.
CREATE OR REPLACE MACRO store.rounded(digits, scale) AS
    CASE
        WHEN scale <= 12 THEN digits * store.power_of_ten(12 - scale)
        WHEN digits < 4000000000000000000 AND scale <= 30 THEN
            ((digits::BIGINT + (5 * store.power_of_ten(scale - 13))::BIGINT) // store.power_of_ten(scale - 12)::BIGINT)::HUGEINT
        ELSE (digits + 5 * store.power_of_ten(scale - 13)) // store.power_of_ten(scale - 12)
    END;
-- In units of 0.000000000001; NULL when one of them has no digits.
CREATE OR REPLACE MACRO store.product_units(a_digits, a_scale, b_digits, b_scale) AS
    TRY(store.rounded(a_digits::HUGEINT * b_digits::HUGEINT, a_scale + b_scale));
CREATE OR REPLACE MACRO store.units_to_usd(units) AS units::DECIMAL(38, 0) * 0.000000000001::DECIMAL(12, 12);
CREATE OR REPLACE MACRO store.exact_product_of(a, a_digits, a_scale, b, b_digits, b_scale) AS
    CASE
        WHEN a_digits IS NOT NULL AND b_digits IS NOT NULL
            THEN TRY(store.units_to_usd(store.product_units(a_digits, a_scale, b_digits, b_scale)))
        ELSE store.exact_product(a, b)
    END;
