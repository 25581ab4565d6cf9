-- grain: alert instances that are not quiet, their episodes, notices to send, attempts to send them
-- key: alert_state.fingerprint; alert_episode.alert_id; alert_outbox.notice_id; alert_delivery (notice_id, attempt)
-- consumers: ccpay_io/alerts, inside the poll's transaction; the delivery sensor reads the outbox
-- Channels are named by a key that is no secret ("log", "webhook-1f3a9c2e"), never by their URL.

CREATE TABLE store.alert_state (
    fingerprint VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    streak BIGINT NOT NULL,
    value VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    alert_id VARCHAR NOT NULL,
    started_after TIMESTAMPTZ,
    started_by TIMESTAMPTZ NOT NULL,
    ended_after TIMESTAMPTZ,
    ended_by TIMESTAMPTZ,
    last_bad_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE store.alert_episode (
    alert_id VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    started_after TIMESTAMPTZ,
    started_by TIMESTAMPTZ NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    opened_poll_id BIGINT NOT NULL,
    ended_after TIMESTAMPTZ,
    ended_by TIMESTAMPTZ,
    resolved_at TIMESTAMPTZ,
    resolved_poll_id BIGINT
);

CREATE TABLE store.alert_outbox (
    notice_id VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    transition VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    alert_ids VARCHAR[] NOT NULL,
    title VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    payload VARCHAR NOT NULL,
    poll_id BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    claimed_until TIMESTAMPTZ,
    delivered_at TIMESTAMPTZ,
    dead_at TIMESTAMPTZ
);

CREATE TABLE store.alert_delivery (
    notice_id VARCHAR NOT NULL,
    attempt BIGINT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ NOT NULL,
    outcome VARCHAR NOT NULL,
    status_code BIGINT,
    error VARCHAR
);
