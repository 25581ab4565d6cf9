-- view: poll_coverage
-- grain: one row per UTC day and feed
-- key: day, feed
-- consumers: operations, data engineers
-- example: SELECT day, feed, coverage_pct, failed, top_api_code FROM poll_coverage ORDER BY day DESC, feed
-- column day: UTC day, in whatever time zone the session is
-- column feed: chains, fiats, coins, networks, prices, fees or watchlist
-- column planned: slots of the cadence in force that begin on this day, from the feed's first poll on and up to now (the slot of this moment counts as soon as it has a poll); slot n begins n cadences after the epoch; a cadence has the slots from the one that holds its first poll to the last that ended under it
-- column ok: polls that answered everything, each counted
-- column partial: polls with some unknown entities, each counted
-- column failed: polls without an answer, each counted
-- column skipped: polls for which no request was allowed, each counted
-- column missed: planned slots without any attempt; more polls in another slot (confirmations, polls by hand) do not make up for them
-- column longest_gap_s: longest time between two successful polls, or since the last one, that touches this day, in seconds; NULL before the first
-- column coverage_pct: slots with an ok or partial poll, in percent of planned
-- column change_pct: changed of answered entities, in percent: how much moves per poll
-- column requests: HTTP requests made
-- column top_api_code: the most frequent error code of the day; NULL without one
CREATE OR REPLACE VIEW poll_coverage AS
-- Plain UTC timestamps throughout: days of TIMESTAMPTZ follow the session's time zone.
WITH poll AS (
    SELECT
        * EXCLUDE (started_at, observed_at),
        started_at AT TIME ZONE 'UTC' AS started_at,
        observed_at AT TIME ZONE 'UTC' AS observed_at
    FROM store.ledger
),

successful AS (
    SELECT
        feed,
        observed_at,
        lag(observed_at) OVER (PARTITION BY feed ORDER BY observed_at) AS before
    FROM poll
    WHERE outcome IN ('ok', 'partial')
),

-- A gap touches each day from its start to its end, and the last one is still growing.
gap AS (
    SELECT feed, before AS gap_from, observed_at AS gap_to FROM successful WHERE before IS NOT NULL
    UNION ALL
    SELECT feed, max(observed_at), now() AT TIME ZONE 'UTC' FROM successful GROUP BY feed
),

day_feed AS (
    SELECT
        feed,
        unnest(generate_series(
            date_trunc('day', min(started_at)),
            date_trunc('day', greatest(max(started_at), now() AT TIME ZONE 'UTC')),
            INTERVAL 1 DAY
        ))::TIMESTAMP AS day_start,
        max(started_at) AS last_started_at
    FROM poll
    GROUP BY feed
),

cadence AS (
    SELECT
        feed,
        cadence_s,
        valid_from AT TIME ZONE 'UTC' AS valid_from,
        lead(valid_from AT TIME ZONE 'UTC') OVER (PARTITION BY feed ORDER BY valid_from) AS valid_to
    FROM store.cadence
    WHERE cadence_s > 0
),

-- The slots of each cadence on each day it was in force: from the one that holds its first poll to
-- the last that ended under it. The slot of this moment counts as soon as it has a poll.
part AS (
    SELECT
        d.feed,
        d.day_start,
        c.valid_from,
        greatest(floor(epoch(c.valid_from) / c.cadence_s), ceil(epoch(d.day_start) / c.cadence_s))::BIGINT
            AS first_slot,
        least(
            CASE
                WHEN c.valid_to IS NOT NULL THEN floor(epoch(c.valid_to) / c.cadence_s)
                ELSE greatest(
                    floor(epoch(now()) / c.cadence_s),
                    floor(epoch(d.last_started_at) / c.cadence_s) + 1
                )
            END,
            ceil(epoch(d.day_start + INTERVAL 1 DAY) / c.cadence_s)
        )::BIGINT AS end_slot
    FROM day_feed AS d
    JOIN cadence AS c USING (feed)
),

filled AS (
    SELECT
        p.feed,
        c.valid_from,
        floor(epoch(p.started_at) / c.cadence_s)::BIGINT AS slot,
        date_trunc('day', make_timestamp(slot * c.cadence_s * 1000000)) AS day_start,
        bool_or(p.outcome IN ('ok', 'partial')) AS is_good
    FROM poll AS p
    ASOF JOIN cadence AS c ON c.feed = p.feed AND c.valid_from <= p.started_at
    GROUP BY p.feed, c.valid_from, slot, c.cadence_s
),

part_done AS (
    SELECT
        a.feed,
        a.day_start,
        greatest(0, a.end_slot - a.first_slot) AS planned,
        count(f.slot) AS attempted,
        count(f.slot) FILTER (WHERE f.is_good) AS good
    FROM part AS a
    LEFT JOIN filled AS f
        ON f.feed = a.feed
        AND f.valid_from = a.valid_from
        AND f.day_start = a.day_start
        AND f.slot < a.end_slot
    -- Two cadences on one day may have the same number of slots, and are two parts all the same.
    GROUP BY a.feed, a.day_start, a.valid_from, a.first_slot, a.end_slot
),

plan AS (
    SELECT
        feed,
        day_start,
        sum(planned)::BIGINT AS planned,
        sum(attempted)::BIGINT AS attempted,
        sum(good)::BIGINT AS good
    FROM part_done
    GROUP BY feed, day_start
),

done AS (
    SELECT
        feed,
        date_trunc('day', started_at) AS day_start,
        count(*) FILTER (WHERE outcome = 'ok') AS ok,
        count(*) FILTER (WHERE outcome = 'partial') AS partial,
        count(*) FILTER (WHERE outcome = 'failed') AS failed,
        count(*) FILTER (WHERE outcome = 'skipped') AS skipped,
        sum(requests)::BIGINT AS requests,
        100 * sum(changed_count) / nullif(sum(answered_count), 0) AS change_pct,
        mode(error_code) AS top_api_code
    FROM poll
    GROUP BY feed, date_trunc('day', started_at)
),

worst AS (
    SELECT d.feed, d.day_start, max(epoch(g.gap_to) - epoch(g.gap_from)) AS longest_gap_s
    FROM day_feed AS d
    JOIN gap AS g ON g.feed = d.feed AND g.gap_from < d.day_start + INTERVAL 1 DAY AND g.gap_to > d.day_start
    GROUP BY d.feed, d.day_start
)

SELECT
    p.day_start::DATE AS day,
    p.feed,
    p.planned,
    coalesce(d.ok, 0) AS ok,
    coalesce(d.partial, 0) AS partial,
    coalesce(d.failed, 0) AS failed,
    coalesce(d.skipped, 0) AS skipped,
    p.planned - p.attempted AS missed,
    round(w.longest_gap_s)::BIGINT AS longest_gap_s,
    round(100 * p.good / nullif(p.planned, 0), 2) AS coverage_pct,
    round(d.change_pct, 2) AS change_pct,
    coalesce(d.requests, 0) AS requests,
    d.top_api_code
FROM plan AS p
LEFT JOIN done AS d USING (feed, day_start)
LEFT JOIN worst AS w USING (feed, day_start);
