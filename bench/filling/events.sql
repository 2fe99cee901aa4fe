-- events
INSERT INTO events (id, merchant_id, live, name, audience, subject_type, subject_id, step, payment_id, payment_step,
    actor, data, details_digest, happened_at)
SELECT id, merchant_id, live, name, audience, subject_type, subject_id, step, payment_id, payment_step, actor, data::jsonb,
    digest, fill.moment(us)
FROM fill.told;
INSERT INTO event_details (event_id, merchant_id, live, salt, body)
SELECT id, merchant_id, live, substr(uuid_send(payment_id), 1, 16), details::jsonb FROM fill.told WHERE details IS NOT NULL;
