-- macro: exact_sum(x)
-- grain: scalar macros: an exact sum of amounts (exact_sum), of figures in USD or a fiat (exact_sum_usd), their means, and their conversion; NULL when it does not fit
-- key: none
-- consumers: views that add up amounts; a plain sum of DECIMAL(38, 12) raises an error when it overflows
-- example: SELECT store.exact_sum(x) FROM (VALUES (0.1), (0.2)) AS t (x)
-- Whole and fractional parts are added apart: neither sum can overflow.
CREATE OR REPLACE MACRO store.exact_sum(x) AS
    CASE
        WHEN abs(sum(trunc(x)::HUGEINT) + trunc(sum((x - trunc(x))::DECIMAL(19, 18)))::HUGEINT)
            <= 99999999999999999999
            THEN sum(trunc(x)::HUGEINT)::DECIMAL(38, 18) + sum((x - trunc(x))::DECIMAL(19, 18))
    END;
CREATE OR REPLACE MACRO store.exact_sum_usd(x) AS
    CASE
        WHEN abs(sum(trunc(x)::HUGEINT) + trunc(sum((x - trunc(x))::DECIMAL(13, 12)))::HUGEINT)
            <= 99999999999999999999999999
            THEN sum(trunc(x)::HUGEINT)::DECIMAL(38, 12) + sum((x - trunc(x))::DECIMAL(13, 12))
    END;
-- Rounded half up to 12 places; of what is not negative.
CREATE OR REPLACE MACRO store.units_to_usd(units) AS units::DECIMAL(38, 0) * 0.000000000001::DECIMAL(12, 12);
CREATE OR REPLACE MACRO store.mean_of_parts(wholes, parts, weights) AS
    (wholes // weights)::DECIMAL(38, 18)
    + ((2 * ((wholes % weights) * 1000000000000000000::HUGEINT + parts) + weights) // (2 * weights))::DECIMAL(38, 0)
    * 0.000000000000000001::DECIMAL(18, 18);
CREATE OR REPLACE MACRO store.usd_to_units(usd) AS replace(usd::DECIMAL(38, 12)::VARCHAR, '.', '')::HUGEINT;
CREATE OR REPLACE MACRO store.exact_mean(total, number) AS store.units_to_usd(
    store.usd_to_units(total) // nullif(number, 0)
    + (2 * (store.usd_to_units(total) % nullif(number, 0)) >= number)::HUGEINT
);
-- A figure in US dollars at a rate; 1 leaves it as it is, however large.
CREATE OR REPLACE MACRO store.converted(usd, rate) AS
    CASE WHEN rate = 1 THEN usd ELSE store.exact_product(TRY_CAST(usd AS DECIMAL(38, 18)), rate) END;
-- A mean weighted by time, rounded half up to 18 places; weights are microseconds, of a year at most.
-- Whole and fractional parts are weighted apart, as no product of the two would fit.
CREATE OR REPLACE MACRO store.wholes(x) AS trunc(x)::HUGEINT;
CREATE OR REPLACE MACRO store.parts(x) AS ((x - trunc(x))::DECIMAL(18, 18) * 1000000000000000000)::HUGEINT;
CREATE OR REPLACE MACRO store.weighted_mean(x, weight) AS store.mean_of_parts(
    sum(store.wholes(x) * weight),
    sum(store.parts(x) * weight),
    nullif(sum(weight), 0)::HUGEINT
);
