-- macro: data_age_s(observed_at)
-- grain: scalar macros: seconds since an observation, and whether that is more than three cadences of its feed
-- key: none
-- consumers: every view whose name ends in _now
-- example: SELECT store.data_age_s(now())
CREATE OR REPLACE MACRO store.data_age_s(observed_at) AS
    greatest(0, epoch(now()) - epoch(observed_at))::BIGINT;
CREATE OR REPLACE MACRO store.is_stale(feed_name, observed_at) AS
    epoch(now()) - epoch(observed_at) > 3 * (
        SELECT arg_max(cadence_s, valid_from) FROM store.cadence WHERE feed = feed_name
    );
