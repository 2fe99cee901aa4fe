-- What PostgreSQL has to do for one payment, authorised and captured: the product's own statements, one by one,
-- without the product. Kept fixed, so that floor_ratio can be compared over time.
SELECT gen_random_uuid() AS merchant, gen_random_uuid() AS payment, gen_random_uuid() AS authorisation,
       gen_random_uuid() AS operation, gen_random_uuid() AS capture, gen_random_uuid() AS entry,
       gen_random_uuid() AS e1, gen_random_uuid() AS e2, gen_random_uuid() AS e3, gen_random_uuid() AS e4,
       gen_random_uuid() AS e5, gen_random_uuid() AS a1, gen_random_uuid() AS a2, gen_random_uuid() AS contract,
       gen_random_uuid()::text AS k1, gen_random_uuid()::text AS k2, gen_random_uuid() AS d1, gen_random_uuid() AS d2
\gset
BEGIN;
SELECT set_config('zahlwerk.merchants', 'all', true), set_config('zahlwerk.live', 'any', true);
SELECT id, permissions FROM api_keys WHERE digest = '\x00';
COMMIT;
-- authorise: prepare
BEGIN;
SELECT set_config('zahlwerk.merchants', :merchant, true), set_config('zahlwerk.live', 'false', true);
INSERT INTO idempotency_keys VALUES (:merchant, false, :k1, '\x00', 'payment', :payment, now());
INSERT INTO payments (id, merchant_id, live, amount, currency, merchant_reference, description, language, capture_mode, source, stage, step, created_at, updated_at) VALUES (:payment, :merchant, false, 1999, 'EUR', 'floor', '', 'de', 'manual', 'api', 'pending', 1, now(), now());
SELECT * FROM contracts WHERE merchant_id = :merchant AND active ORDER BY priority;
INSERT INTO routing_decisions (id, merchant_id, live, payment_id, candidates, decided_at) VALUES (:d1, :merchant, false, :payment, '[]', now());
SELECT kind FROM block_entries WHERE merchant_id = :merchant AND fingerprint = '\x00';
SELECT deny_above FROM amount_ceilings WHERE merchant_id = :merchant AND currency = 'EUR';
INSERT INTO risk_decisions (id, merchant_id, live, payment_id, decision, answers, decided_at) VALUES (:d2, :merchant, false, :payment, 'allow', '[]', now());
INSERT INTO authorisations (id, merchant_id, live, payment_id, attempt, contract_id, provider, method, amount, currency, is_open, created_at) VALUES (:authorisation, :merchant, false, :payment, 1, :contract, 'floor', 'card', 1999, 'EUR', true, now());
INSERT INTO operations (id, group_id, merchant_id, live, payment_id, authorisation_id, contract_id, kind, state, step, amount, currency, actor, leased_until, enquire_at, created_at, updated_at) VALUES (:operation, :operation, :merchant, false, :payment, :authorisation, :contract, 'authorise', 'submitted', 1, 1999, 'EUR', 'floor', now(), now(), now(), now());
INSERT INTO events (id, merchant_id, live, name, audience, subject_type, subject_id, step, payment_id, payment_step, actor, data, happened_at) VALUES (:e1, :merchant, false, 'payment.created', 'public', 'payment', :payment, 1, :payment, 1, 'floor', '{}', now());
INSERT INTO events (id, merchant_id, live, name, audience, subject_type, subject_id, step, payment_id, payment_step, actor, data, happened_at) VALUES (:e2, :merchant, false, 'authorisation.submitted', 'internal', 'operation', :operation, 1, :payment, 2, 'floor', '{}', now());
COMMIT;
-- authorise: record
BEGIN;
SELECT set_config('zahlwerk.merchants', :merchant, true), set_config('zahlwerk.live', 'false', true);
SELECT * FROM payments p JOIN authorisations a ON a.payment_id = p.id JOIN operations o ON o.authorisation_id = a.id WHERE o.id = :operation FOR UPDATE;
UPDATE operations SET state = 'succeeded', step = step + 1, booked_amount = 1999, leased_until = NULL, enquire_at = NULL, updated_at = now() WHERE id = :operation;
UPDATE authorisations SET authorised = 1999, brand = 'visa', last4 = '4242', expires_at = now() + interval '7 days' WHERE id = :authorisation;
UPDATE payments SET authorised = 1999, stage = 'authorised', step = step + 1, updated_at = now() WHERE id = :payment;
INSERT INTO events (id, merchant_id, live, name, audience, subject_type, subject_id, step, payment_id, payment_step, actor, data, happened_at) VALUES (:e3, :merchant, false, 'authorisation.succeeded', 'public', 'operation', :operation, 2, :payment, 3, 'floor', '{}', now());
COMMIT;
BEGIN;
SELECT set_config('zahlwerk.merchants', 'all', true), set_config('zahlwerk.live', 'any', true);
SELECT id, permissions FROM api_keys WHERE digest = '\x00';
COMMIT;
-- capture: prepare
BEGIN;
SELECT set_config('zahlwerk.merchants', :merchant, true), set_config('zahlwerk.live', 'false', true);
INSERT INTO idempotency_keys VALUES (:merchant, false, :k2, '\x00', 'operation', :capture, now());
SELECT * FROM payments p JOIN authorisations a ON a.payment_id = p.id WHERE p.id = :payment AND a.is_open FOR UPDATE;
UPDATE authorisations SET capture_pending = 1999 WHERE id = :authorisation;
UPDATE payments SET capture_pending = 1999, step = step + 1, updated_at = now() WHERE id = :payment;
INSERT INTO operations (id, group_id, merchant_id, live, payment_id, authorisation_id, contract_id, kind, state, step, amount, currency, actor, leased_until, enquire_at, created_at, updated_at) VALUES (:capture, :capture, :merchant, false, :payment, :authorisation, :contract, 'capture', 'submitted', 1, 1999, 'EUR', 'floor', now(), now(), now(), now());
INSERT INTO events (id, merchant_id, live, name, audience, subject_type, subject_id, step, payment_id, payment_step, actor, data, happened_at) VALUES (:e4, :merchant, false, 'capture.submitted', 'internal', 'operation', :capture, 1, :payment, 4, 'floor', '{}', now());
COMMIT;
-- capture: record
BEGIN;
SELECT set_config('zahlwerk.merchants', :merchant, true), set_config('zahlwerk.live', 'false', true);
SELECT * FROM payments p JOIN authorisations a ON a.payment_id = p.id JOIN operations o ON o.authorisation_id = a.id WHERE o.id = :capture FOR UPDATE;
UPDATE operations SET state = 'succeeded', step = step + 1, booked_amount = 1999, leased_until = NULL, enquire_at = NULL, updated_at = now() WHERE id = :capture;
UPDATE authorisations SET capture_pending = 0, captured = 1999 WHERE id = :authorisation;
UPDATE payments SET capture_pending = 0, captured = 1999, step = step + 1, updated_at = now() WHERE id = :payment;
INSERT INTO ledger_accounts (id, merchant_id, live, code, currency) VALUES (:a1, :merchant, false, 'provider_balance', 'EUR') ON CONFLICT DO NOTHING;
INSERT INTO ledger_accounts (id, merchant_id, live, code, currency) VALUES (:a2, :merchant, false, 'payer_clearing', 'EUR') ON CONFLICT DO NOTHING;
INSERT INTO ledger_entries (id, merchant_id, live, key, recipe, payment_id, operation_id, merchant_reference, booking_date, value_date, created_at) VALUES (:entry, :merchant, false, :k2, 'captured', :payment, :capture, 'floor', current_date, current_date, now());
INSERT INTO ledger_lines (entry_id, account_id, merchant_id, live, amount, currency) VALUES (:entry, :a1, :merchant, false, 1999, 'EUR'), (:entry, :a2, :merchant, false, -1999, 'EUR');
INSERT INTO events (id, merchant_id, live, name, audience, subject_type, subject_id, step, payment_id, payment_step, actor, data, happened_at) VALUES (:e5, :merchant, false, 'capture.succeeded', 'public', 'operation', :capture, 2, :payment, 5, 'floor', '{}', now());
COMMIT;
