-- view: alert_episode
-- grain: one row per alert that opened, whether it was told or muted
-- key: alert_id
-- consumers: operations, the metrics, the board
-- example: SELECT kind, subject, severity, opened_at, resolved_at FROM alert_episode ORDER BY opened_at DESC
-- column alert_id: the subject's fingerprint and the poll_id of the first bad poll; it never changes
-- column kind: source_health, chain_status, payout_route, fee_level, freshness, contract or delivery
-- column subject: what it is about, by the name that it had then
-- column severity: info, warning or critical; the highest that it had
-- column opened_at: when the poll was answered with which it opened
-- column resolved_at: when the poll was answered with which it ended; NULL while it is open
-- column notice_count: notices about it, over all channels; those that a later one told are not counted
-- column reminder_count: how often it was reminded of, whatever the number of channels
-- column acked_by: who said to work on it, last; NULL when nobody did
-- column silenced_s: seconds in which a silence kept it back while it was open
-- column inhibited_by: alert_id of the alert that explained it, the last one; NULL when it was always news of its own
-- column time_to_notify_s: seconds from the first bad poll until the first channel took a notice about it; NULL when none has
-- column maintenance_id: the maintenance in maintenance_episode that it is about; NULL for other kinds
CREATE OR REPLACE VIEW alert_episode AS
WITH notice AS (
    SELECT unnest(list_distinct(alert_ids)) AS alert_id, poll_id, transition, delivered_at, merged_into
    FROM store.alert_outbox
),

told AS (
    SELECT
        alert_id,
        count(*) FILTER (WHERE merged_into IS NULL) AS notice_count,
        count(DISTINCT poll_id) FILTER (WHERE transition = 'reminder') AS reminder_count,
        min(delivered_at) AS told_at
    FROM notice
    GROUP BY alert_id
),

muted AS (
    SELECT
        alert_id,
        sum(epoch(coalesce(muted_to, now())) - epoch(muted_from))
            FILTER (WHERE starts_with(muted_by, 'silence:')) AS silenced_s,
        max_by(substr(muted_by, 7), muted_from) FILTER (WHERE starts_with(muted_by, 'alert:')) AS inhibited_by
    FROM store.alert_muting
    GROUP BY alert_id
),

acked AS (
    SELECT alert_id, max_by(author, acked_at) AS author
    FROM store.alert_ack
    GROUP BY alert_id
),

meant AS (
    SELECT e.alert_id, max(m.maintenance_id) AS maintenance_id
    FROM store.alert_episode AS e
    JOIN store.maintenance AS m
        ON m.chain = e.chain AND m.started_by <= e.opened_at AND (m.ended_by IS NULL OR m.ended_by > e.opened_at)
    WHERE e.kind = 'chain_status'
    GROUP BY e.alert_id
)

SELECT
    e.alert_id,
    e.kind,
    e.subject,
    e.severity,
    e.opened_at,
    e.resolved_at,
    coalesce(t.notice_count, 0) AS notice_count,
    coalesce(t.reminder_count, 0) AS reminder_count,
    a.author AS acked_by,
    round(coalesce(m.silenced_s, 0))::BIGINT AS silenced_s,
    m.inhibited_by,
    round(epoch(t.told_at) - epoch(e.started_by))::BIGINT AS time_to_notify_s,
    w.maintenance_id
FROM store.alert_episode AS e
LEFT JOIN told AS t USING (alert_id)
LEFT JOIN muted AS m USING (alert_id)
LEFT JOIN acked AS a USING (alert_id)
LEFT JOIN meant AS w USING (alert_id);
