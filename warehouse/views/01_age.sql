-- macro: data_age_s(observed_at)
-- grain: scalar macros: seconds since an observation; the moment after which it is older than three cadences of its feed (stale_from), for a price of its two feeds (price_stale_from); whether that has passed (is_stale)
-- key: none
-- consumers: every view whose name ends in _now
-- example: SELECT store.data_age_s(now())
CREATE OR REPLACE MACRO store.data_age_s(observed_at) AS
    -- greatest() passes over NULL: what was never observed has no age, not that of a moment.
    CASE WHEN observed_at IS NOT NULL THEN greatest(0, epoch(now()) - epoch(observed_at))::BIGINT END;
-- A moment, so that a table can keep it: looking for the cadence costs a query more than its rows.
CREATE OR REPLACE MACRO store.stale_from(feed_name, observed_at) AS
    observed_at + to_seconds(3 * (
        SELECT arg_max(cadence_s, valid_from) FROM store.cadence WHERE feed = feed_name
    ));
-- A coin may be priced by getCoinList alone, so its slower cadence is the measure; getCoinUSDTPrice's
-- where getCoinList is never polled.
CREATE OR REPLACE MACRO store.price_stale_from(observed_at) AS
    coalesce(store.stale_from('networks', observed_at), store.stale_from('prices', observed_at));
CREATE OR REPLACE MACRO store.is_stale(feed_name, observed_at) AS
    now() > store.stale_from(feed_name, observed_at);
