-- question: On which days of the last 14 did we miss something, and why?
-- grain: one row per UTC day and feed with less than full coverage
-- key: day, feed
-- consumers: operations, data engineers
-- edit: the days, and the coverage that is good enough
-- column day: UTC day
-- column feed: what was asked for
-- column coverage_pct: planned polls that have an answer, in percent
-- column planned: polls that the cadence planned
-- column failed: polls without an answer
-- column skipped: polls for which no request was allowed
-- column missed: planned polls that nothing attempted: nothing was running
-- column longest_gap_s: longest time between two answers, in seconds
-- column top_api_code: the most frequent error code
SELECT day, feed, coverage_pct, planned, failed, skipped, missed, longest_gap_s, top_api_code
FROM poll_coverage
WHERE day > (now() AT TIME ZONE 'UTC')::DATE - 14 AND coverage_pct < 99.9
ORDER BY day DESC, coverage_pct, feed;
