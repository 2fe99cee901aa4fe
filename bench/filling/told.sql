-- What was told, out of plan.sql's tables, in order; the data as they are sealed: JSON with sorted keys
CREATE UNLOGGED TABLE fill.told AS
SELECT n, fill.id(fill.hi(us + 10), fill.lo(n, 20)) AS id, merchant_id, live, 'payment.created' AS name, 'public' AS audience,
    'payment' AS subject_type, payment_id AS subject_id, 1 AS step, payment_id, 1 AS payment_step, actor, us | 1 AS us,
    format('{"payment":{"amount":%s,"authorised":0,"cancelled":0,"captured":0,"charged_back":0,"currency":"%s","id":"%s",'
           '"merchant_reference":"%s","refunded":0,"status":"created"}}', amount, currency, payment_key, reference) AS data,
    sha256(substr(uuid_send(payment_id), 1, 16) || convert_to(details, 'UTF8')) AS digest, details
FROM fill.plan, LATERAL (
    SELECT format('{"payer_email":"%s","payer_name":"%s"}', payer_email, payer_name) AS details
) d
UNION ALL
SELECT n, fill.id(fill.hi(asked_us + 20), fill.lo(n, 40 + place)), merchant_id, live, noun || '.submitted', 'internal',
    'operation', operation_id, 1, payment_id, payment_step - 1, done_by, asked_us | 1,
    CASE WHEN kind = 'authorise'
        THEN format('{"attempt":1,"operation":"%s","provider":"sandbox_card"}', operation_key)
        ELSE format('{"amount":%s,"currency":"%s","operation":"%s","reason":%s}', asked, currency, operation_key,
                    coalesce('"' || reason || '"', 'null')) END, NULL, NULL
FROM fill.deeds WHERE NOT fact
UNION ALL
SELECT n, fill.id(fill.hi(told_us + 20), fill.lo(n, 60 + place)), merchant_id, live, noun || '.' || word, audience,
    'operation', operation_id, CASE WHEN fact THEN 1 ELSE 2 END, payment_id, payment_step, done_by, told_us,
    format('{"amount":%s,"code":%s,"currency":"%s","kind":"%s","operation":"%s","payment":{"amount":%s,"authorised":%s,'
           '"cancelled":%s,"captured":%s,"charged_back":%s,"currency":"%s","id":"%s","merchant_reference":"%s",'
           '"refunded":%s,"status":"%s"},"provider":"sandbox_card","reason":%s,"state":"%s"}',
           coalesce(booked, asked), coalesce('"' || code || '"', 'null'), currency, kind, operation_key, amount, authorised,
           cancelled, captured, charged_back, currency, payment_key, reference, refunded, status,
           coalesce('"' || reason || '"', 'null'), state), NULL, NULL
FROM fill.deeds, LATERAL (
    SELECT CASE state WHEN 'action' THEN 'action_required' WHEN 'unknown' THEN 'outcome_unknown' ELSE state END AS word,
           CASE state WHEN 'unknown' THEN 'staff' ELSE 'public' END AS audience
) w
ORDER BY id;
