-- Payments, their operations, the decisions about them, and the books, out of plan.sql's tables.

-- table payments
INSERT INTO payments (id, merchant_id, live, shop_id, amount, currency, merchant_reference, description, order_number,
    customer_number, payer_name, payer_email, payer_country, language, capture_mode, source, method, brand, last4, stage,
    step, authorised, captured, cancelled, refunded, charged_back, created_at, updated_at)
SELECT p.payment_id, p.merchant_id, p.live, p.shop_id, p.amount, p.currency, p.reference, 'Bestellung ' || p.order_number,
    p.order_number, p.customer, p.payer_name, p.payer_email, 'DE', 'de', 'manual', 'api',
    CASE WHEN d.n IS NOT NULL THEN 'card' END, CASE WHEN d.n IS NOT NULL THEN p.brand END,
    CASE WHEN d.n IS NOT NULL THEN p.last4 END, coalesce(d.stage, 'created'), coalesce(d.payment_step, 1),
    coalesce(d.authorised, 0), coalesce(d.captured, 0), coalesce(d.cancelled, 0), coalesce(d.refunded, 0),
    coalesce(d.charged_back, 0), fill.moment(p.us), fill.moment(coalesce(d.told_us, p.us))
FROM fill.plan p LEFT JOIN fill.deeds d ON d.n = p.n AND d.is_last
ORDER BY p.n;

-- table authorisations
INSERT INTO authorisations (id, merchant_id, live, payment_id, attempt, contract_id, provider, method, amount, currency,
    provider_reference, brand, last4, funding, issuer_country, is_open, authorised, captured, cancelled, refunded,
    charged_back, expires_at, honour_until, created_at)
SELECT authorisation_id, merchant_id, live, payment_id, 1, contract_id, 'sandbox_card', 'card', amount, currency,
    'auth_' || payment_key, brand, last4, funding, 'DE', is_open, authorised, captured, cancelled, refunded,
    charged_back, CASE WHEN authorised > 0 THEN fill.moment(us) + interval '7 days' END,
    CASE WHEN authorised > 0 THEN fill.moment(us) + interval '7 days' END, fill.moment(us)
FROM fill.deeds WHERE is_last ORDER BY n;

-- table operations
INSERT INTO operations (id, merchant_id, live, payment_id, authorisation_id, contract_id, group_id, capture_id, kind,
    state, step, amount, booked_amount, released_amount, currency, final, reason, code, provider_reference, actor,
    enquire_at, created_at, updated_at)
SELECT operation_id, merchant_id, live, payment_id, authorisation_id, contract_id, operation_id,
    CASE kind WHEN 'refund' THEN fill.id(fill.hi(us + 200 + (0.3::float8 * least(span_us, (now_us - us) * 0.9::float8))::bigint),
                                        fill.lo(n, 12)) END,
    kind, state, CASE WHEN fact THEN 1 ELSE 2 END, asked, booked,
    cancelled - lag(cancelled, 1, 0::bigint) OVER (PARTITION BY n ORDER BY place), currency,
    kind = 'capture' AND captured + cancelled = amount,
    coalesce(reason, ''), code, kind || '_' || operation_key, done_by,
    CASE WHEN state IN ('action', 'pending', 'unknown') THEN fill.moment(now_us) + interval '1 day' END,
    fill.moment(asked_us), fill.moment(told_us)
FROM fill.deeds ORDER BY n, place;

-- what the checks and the routing decided
INSERT INTO risk_decisions (id, merchant_id, live, payment_id, decision, answers, decided_at)
SELECT fill.id(fill.hi(us + 60), fill.lo(n, 3)), merchant_id, live, payment_id, 'allow',
    '[{"check": "block_list", "verdict": "allow", "reason": ""}, {"check": "amount_ceiling", "verdict": "allow", "reason": ""}]',
    fill.moment(us)
FROM fill.deeds WHERE place = 1 ORDER BY n;
INSERT INTO routing_decisions (id, merchant_id, live, payment_id, candidates, decided_at)
SELECT fill.id(fill.hi(us + 50), fill.lo(n, 4)), merchant_id, live, payment_id,
    jsonb_build_array(jsonb_build_object('contract_id', contract_id, 'provider', 'sandbox_card', 'reason', 'priority 100')),
    fill.moment(us)
FROM fill.deeds WHERE place = 1 ORDER BY n;

-- the books
CREATE UNLOGGED TABLE fill.booked AS
SELECT n, place, tenant, life, fill.id(fill.hi(told_us + 10), fill.lo(n, 30 + place)) AS entry_id, merchant_id, live, currency,
    amount, part, contract_id, payment_id, operation_id, reference, recipe, fill.moment(told_us) AS at,
    operation_key || CASE WHEN fact THEN '/1/0' ELSE '/2/0' END AS key
FROM fill.deeds WHERE recipe IS NOT NULL ORDER BY told_us;
INSERT INTO ledger_entries (id, merchant_id, live, key, recipe, payment_id, operation_id, contract_id, merchant_reference,
    booking_date, value_date, created_at)
SELECT entry_id, merchant_id, live, key, recipe, payment_id, operation_id, contract_id, reference,
    (at AT TIME ZONE 'Europe/Berlin')::date, (at AT TIME ZONE 'Europe/Berlin')::date, at
FROM fill.booked;
INSERT INTO ledger_lines (entry_id, account_id, merchant_id, live, amount, currency)
SELECT b.entry_id, a.id, b.merchant_id, b.live, fill.minor(l.amount, b.amount, b.part), b.currency
FROM fill.booked b
JOIN fill.lines l ON l.life = b.life AND l.place = b.place
JOIN fill.accounts a ON a.tenant = b.tenant AND a.code = l.code;

-- disputes
INSERT INTO disputes (id, merchant_id, live, payment_id, authorisation_id, contract_id, provider_reference, state, step,
    amount, currency, fee, reason, respond_by, opened_at, updated_at)
SELECT fill.id(fill.hi(asked_us), fill.lo(n, 5)), merchant_id, live, payment_id, authorisation_id, contract_id,
    'dispute_' || operation_key, 'charged_back', 2, charged_back, currency, 0, 'fraudulent',
    fill.moment(asked_us) + interval '14 days', fill.moment(asked_us), fill.moment(told_us)
FROM fill.deeds WHERE kind = 'chargeback' ORDER BY n;
