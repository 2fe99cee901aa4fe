-- Who pays whom how much, when, and what happens to it: unlogged tables in the schema `fill`, which prepare.py made.
-- Ids are made of two halves, hi (the time) and lo (by payment and use). Moments are microseconds (us).

-- payments: when, whose, and what becomes of them
CREATE UNLOGGED TABLE fill.plan AS
WITH drawn AS (
    SELECT days, now_us, random() AS day, random() + random() AS hour, random() AS late, random() AS course, random() AS whose,
           random() AS price, random() AS first, random() AS last, random() AS who, random() AS kind, random() AS place
    FROM fill.wanted, generate_series(1, rows)
), dated AS (
    SELECT drawn.*,
           least(now_us / 86400000000 * 86400000000 + 86400000000 * (hour / 2 - floor(days * (1 - power(day, 0.8)))),
                 now_us - 120000000 - 36000000000 * late)::bigint AS us
    FROM drawn
), ordered AS MATERIALIZED (
    SELECT dated.*, row_number() OVER (ORDER BY us) AS n, fill.hi(us) AS hi FROM dated
), with_ids AS MATERIALIZED (
    SELECT ordered.*, fill.lo(n, 1) AS lo FROM ordered
)
SELECT n, us, now_us, hi, fill.id(hi, lo) AS payment_id, fill.key('pay', hi, lo) AS payment_key,
       fill.id(fill.hi(us + 150), fill.lo(n, 2)) AS authorisation_id,
       coalesce(l.name, 'captured') AS life, coalesce(l.span_us, 144000000000) AS span_us,
       2 * (200 + (price * price * 24000))::bigint + 99 AS amount, 1 + (price * price * 12000)::bigint AS part,
       t.number AS tenant, t.merchant_id, t.live, t.shop_id, t.contract_id, t.currency, t.actor,
       t.prefix || (100000 + n) AS reference, 100000 + n AS order_number, 'K-' || 1000 + (who * 90000)::int AS customer,
       first_names[n_th.first] || ' ' || last_names[n_th.last] AS payer_name,
       first_ascii[n_th.first] || '.' || last_ascii[n_th.last] || (who * 400)::int || '@' || domains[n_th.domain] AS payer_email,
       (ARRAY['visa', 'mastercard', 'visa', 'amex', 'mastercard'])[1 + floor(kind * 5)::int] AS brand,
       lpad((who * 1000000)::int % 10000 || '', 4, '0') AS last4,
       CASE WHEN place < 0.6 THEN 'debit' ELSE 'credit' END AS funding
FROM with_ids
CROSS JOIN (SELECT first_names, first_ascii, last_names, last_ascii, domains FROM fill.wanted) names
CROSS JOIN LATERAL (
    SELECT 1 + floor(first * cardinality(first_names))::int AS first,
           1 + floor(last * last * cardinality(last_names))::int AS last, 1 + floor(place * cardinality(domains))::int AS domain
) n_th
JOIN fill.tenants t ON whose >= t.share_from AND whose < t.share_to
LEFT JOIN fill.lives l ON course >= l.share_from AND course < l.share_to AND l.fresh = (now_us - us < 561600000000)
     AND now_us - us BETWEEN l.youngest_us AND l.oldest_us
ORDER BY n;

-- operations: what happens to each payment, in turn
CREATE UNLOGGED TABLE fill.deeds AS
WITH asked AS (
    SELECT p.*, s.place, s.kind, s.noun, s.state, s.fact, s.status, s.stage, s.is_open, s.is_last, s.code, s.reason,
           s.payment_step, s.recipe, coalesce(s.actor, p.actor) AS done_by,
           us + 200 + (s.at * least(span_us, (now_us - us) * 0.9::float8))::bigint AS asked_us,
           fill.minor(s.asked, amount, part) AS asked, fill.minor(s.booked, amount, part) AS booked,
           fill.minor(s.authorised, amount, part) AS authorised, fill.minor(s.captured, amount, part) AS captured,
           fill.minor(s.cancelled, amount, part) AS cancelled, fill.minor(s.refunded, amount, part) AS refunded,
           fill.minor(s.charged_back, amount, part) AS charged_back
    FROM fill.plan p JOIN fill.steps s ON s.life = p.life
), with_ids AS MATERIALIZED (
    SELECT asked.*, fill.hi(asked_us) AS op_hi, fill.lo(n, 10 + place) AS op_lo FROM asked
)
SELECT d.*, fill.id(op_hi, op_lo) AS operation_id, fill.key('op', op_hi, op_lo) AS operation_key,
       asked_us + CASE WHEN fact THEN 100 ELSE 90000 + (hi >> 4) % 600000 END | 1 AS told_us
FROM with_ids d
ORDER BY n, place;
ANALYZE fill.deeds;
