-- grain: as in 0002_alerts.sql, and: silences, acknowledgements, and the times in which an alert was muted
-- key: alert_state.fingerprint; alert_silence.silence_id; alert_ack (alert_id, acked_at); alert_muting (alert_id, muted_from)
-- consumers: ccpay_io/alerts, inside the poll's transaction; the delivery sensor reads the outbox; the alert views
-- A subject's identity is its key; its name is for people and may change. What a channel was last told
-- of a subject (told) is kept apart from what the subject is (phase): a muted alert opens and resolves
-- in the episodes without a notice.

CREATE TABLE store.alert_instance (
    fingerprint VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    chain VARCHAR,
    coin_id BIGINT,
    phase VARCHAR NOT NULL,
    streak BIGINT NOT NULL,
    value VARCHAR NOT NULL,
    severity VARCHAR NOT NULL,
    alert_id VARCHAR NOT NULL,
    started_after TIMESTAMPTZ,
    started_by TIMESTAMPTZ NOT NULL,
    last_bad_at TIMESTAMPTZ NOT NULL,
    ended_after TIMESTAMPTZ,
    ended_by TIMESTAMPTZ,
    last_known_at TIMESTAMPTZ NOT NULL,
    absences BIGINT NOT NULL,
    told VARCHAR,
    told_id VARCHAR,
    sequence BIGINT NOT NULL,
    reminders BIGINT NOT NULL,
    remind_at TIMESTAMPTZ,
    muted_by VARCHAR,
    changes BIGINT NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    opens TIMESTAMPTZ[] NOT NULL,
    flapping_since TIMESTAMPTZ
);
INSERT INTO store.alert_instance
SELECT
    fingerprint, kind, subject, subject, CASE WHEN kind = 'chain_status' THEN subject END, NULL,
    phase, streak, value, severity, alert_id, started_after, started_by, last_bad_at, ended_after, ended_by,
    last_bad_at, 0,
    CASE WHEN phase <> 'pending' THEN 'opened' END,
    CASE WHEN phase <> 'pending' THEN alert_id END,
    1, 0,
    CASE WHEN phase <> 'pending' THEN last_bad_at + INTERVAL 1 HOUR END,
    NULL, 0, last_bad_at, [], NULL
FROM store.alert_state;
DROP TABLE store.alert_state;
ALTER TABLE store.alert_instance RENAME TO alert_state;

ALTER TABLE store.alert_episode ADD COLUMN chain VARCHAR;
ALTER TABLE store.alert_episode ADD COLUMN coin_id BIGINT;
-- Why it ended when it did not recover: the subject is no longer listed, or no longer asked for.
ALTER TABLE store.alert_episode ADD COLUMN closed_reason VARCHAR;
UPDATE store.alert_episode SET chain = subject WHERE kind = 'chain_status';

-- What a paging service knows the trouble by: all notices about one page have it in common.
ALTER TABLE store.alert_outbox ADD COLUMN incident VARCHAR;
-- The alerts whose end it tells, and its title when their beginning was never told.
ALTER TABLE store.alert_outbox ADD COLUMN ended_ids VARCHAR[];
ALTER TABLE store.alert_outbox ADD COLUMN late_title VARCHAR;
-- The later notice that tells what this one would have told.
ALTER TABLE store.alert_outbox ADD COLUMN merged_into VARCHAR;
UPDATE store.alert_outbox
SET incident = CASE WHEN len(alert_ids) = 1 THEN alert_ids[1] ELSE 'cycle-' || poll_id END,
    ended_ids = CASE WHEN transition = 'resolved' THEN alert_ids ELSE [] END;

ALTER TABLE store.alert_delivery ADD COLUMN provider_id VARCHAR;

-- Matchers that are NULL match everything; a silence has at least one.
CREATE TABLE store.alert_silence (
    silence_id BIGINT NOT NULL,
    kind VARCHAR,
    chain VARCHAR,
    coin_id BIGINT,
    alert_id VARCHAR,
    starts_at TIMESTAMPTZ NOT NULL,
    until TIMESTAMPTZ NOT NULL,
    author VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE store.alert_ack (
    alert_id VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    acked_at TIMESTAMPTZ NOT NULL,
    cleared_at TIMESTAMPTZ,
    cleared_by VARCHAR
);

CREATE TABLE store.alert_muting (
    alert_id VARCHAR NOT NULL,
    muted_by VARCHAR NOT NULL,
    muted_from TIMESTAMPTZ NOT NULL,
    muted_to TIMESTAMPTZ
);

-- What each pair's fee usually is, in US dollars, as of an hour: so that a poll has to look closely only
-- at pairs that are far above it. Written anew by the first fee poll of an hour.
CREATE TABLE store.fee_usual (
    entity_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    usual_usd DOUBLE NOT NULL
);
