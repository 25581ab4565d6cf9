-- view: poll_coverage
-- grain: one row per UTC day and feed
-- key: day, feed
-- consumers: operations, data engineers
-- example: SELECT day, feed, coverage_pct, failed, top_api_code FROM poll_coverage ORDER BY day DESC, feed
-- column day: UTC day
-- column feed: chains, fiats, coins, networks, prices, fees or watchlist
-- column planned: polls that the cadence in force that day calls for, from the feed's first poll on and up to now
-- column ok: polls that answered everything
-- column partial: polls with some unknown entities
-- column failed: polls without an answer
-- column skipped: polls for which no request was allowed
-- column missed: planned polls that were not even attempted
-- column longest_gap_s: longest time between two successful polls that touches this day, in seconds; NULL before the first
-- column coverage_pct: (ok + partial) of planned, at most 100
-- column change_pct: changed of answered entities, in percent: how much moves per poll
-- column requests: HTTP requests made
-- column top_api_code: the most frequent error code of the day; NULL without one
CREATE OR REPLACE VIEW poll_coverage AS
WITH successful AS (
    SELECT
        feed,
        observed_at,
        lag(observed_at) OVER (PARTITION BY feed ORDER BY observed_at) AS before
    FROM store.poll
    WHERE outcome IN ('ok', 'partial')
),

-- A gap touches each day from its start to its end, and the last one is still growing.
gap AS (
    SELECT feed, before AS gap_from, observed_at AS gap_to FROM successful WHERE before IS NOT NULL
    UNION ALL
    SELECT feed, max(observed_at), now() FROM successful GROUP BY feed
),

day_feed AS (
    SELECT
        feed,
        unnest(generate_series(
            date_trunc('day', min(started_at)), date_trunc('day', now()), INTERVAL 1 DAY
        ))::TIMESTAMPTZ AS day_start,
        min(started_at) AS first_started_at
    FROM store.poll
    GROUP BY feed
),

-- Each cadence of a feed covers part of a day; the planned polls are the sum over the parts.
cadence AS (
    SELECT
        feed,
        cadence_s,
        valid_from,
        lead(valid_from, 1, now()) OVER (PARTITION BY feed ORDER BY valid_from) AS valid_to
    FROM store.cadence
),

plan AS (
    SELECT
        d.feed,
        d.day_start,
        -- The very first poll opens the count.
        (d.first_started_at >= d.day_start AND d.first_started_at < d.day_start + INTERVAL 1 DAY)::BIGINT
            + floor(sum(greatest(0, epoch(least(c.valid_to, d.day_start + INTERVAL 1 DAY, now()))
                - epoch(greatest(c.valid_from, d.day_start, d.first_started_at))) / c.cadence_s))::BIGINT
            AS planned
    FROM day_feed AS d
    JOIN cadence AS c USING (feed)
    GROUP BY d.feed, d.day_start, d.first_started_at
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
    FROM store.poll
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
    greatest(0, p.planned - coalesce(d.ok + d.partial + d.failed + d.skipped, 0)) AS missed,
    round(w.longest_gap_s)::BIGINT AS longest_gap_s,
    least(100, round(100 * coalesce(d.ok + d.partial, 0) / nullif(p.planned, 0), 2)) AS coverage_pct,
    round(d.change_pct, 2) AS change_pct,
    coalesce(d.requests, 0) AS requests,
    d.top_api_code
FROM plan AS p
LEFT JOIN done AS d USING (feed, day_start)
LEFT JOIN worst AS w USING (feed, day_start);
