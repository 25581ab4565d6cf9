-- question: Which alerts are open now?
-- grain: one row per alert that is not resolved
-- key: alert_id
-- consumers: the board, status.json
SELECT alert_id, severity, kind, subject, opened_at, acked_by, inhibited_by, silenced_s, notice_count
FROM alert_episode
WHERE resolved_at IS NULL
ORDER BY list_position(['critical', 'warning', 'info'], severity), opened_at
