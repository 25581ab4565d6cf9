-- macro: data_age_s(observed_at)
-- grain: scalar macros: seconds since an observation, and whether that is more than three cadences of its feed (is_stale), for a price of its two feeds (is_stale_price)
-- key: none
-- consumers: every view whose name ends in _now
-- example: SELECT store.data_age_s(now())
CREATE OR REPLACE MACRO store.data_age_s(observed_at) AS
    -- greatest() passes over NULL: what was never observed has no age, not that of a moment.
    CASE WHEN observed_at IS NOT NULL THEN greatest(0, epoch(now()) - epoch(observed_at))::BIGINT END;
CREATE OR REPLACE MACRO store.is_stale(feed_name, observed_at) AS
    epoch(now()) - epoch(observed_at) > 3 * (
        SELECT arg_max(cadence_s, valid_from) FROM store.cadence WHERE feed = feed_name
    );
-- A coin may be priced by getCoinList alone, so its slower cadence is the measure; getCoinUSDTPrice's
-- where getCoinList is never polled. What cannot be judged is not trusted.
CREATE OR REPLACE MACRO store.is_stale_price(observed_at) AS
    coalesce(store.is_stale('networks', observed_at), store.is_stale('prices', observed_at), true);
