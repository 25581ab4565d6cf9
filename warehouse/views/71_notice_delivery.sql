-- view: notice_delivery
-- grain: one row per notice and alert that it is about
-- key: alert_id, notice_id
-- consumers: operations, the metrics
-- example: SELECT channel, notice_id, attempts, last_error FROM notice_delivery WHERE delivered_at IS NULL
-- column alert_id: the alert, as in alert_episode; a subject that only flapped is in no episode
-- column notice_id: the notice: what receivers tell repetitions by
-- column channel: log, or what stands for an address of CCPAY_ALERT_URLS: webhook-..., apprise-...
-- column attempts: how often it was tried
-- column delivered_at: when the channel took it, or the later notice that told it too; NULL while it has not
-- column last_error: what the last attempt that failed said; NULL when none did
CREATE OR REPLACE VIEW notice_delivery AS
WITH failed AS (
    SELECT notice_id, max_by(error, attempt) AS last_error
    FROM store.alert_delivery
    WHERE outcome <> 'sent'
    GROUP BY notice_id
)

SELECT
    unnest(list_distinct(n.alert_ids)) AS alert_id,
    n.notice_id,
    n.channel,
    n.attempts,
    coalesce(n.delivered_at, late.delivered_at) AS delivered_at,
    f.last_error
FROM store.alert_outbox AS n
LEFT JOIN store.alert_outbox AS late ON late.notice_id = n.merged_into
LEFT JOIN failed AS f ON f.notice_id = n.notice_id;
