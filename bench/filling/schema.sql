-- The functions and tables that plan.sql and the others read; prepare.py fills them.
-- Ids as app/core/ids.py makes them: milliseconds, version 7, 4096ths of one; then the variant and 62 other bits.

CREATE SCHEMA fill;
CREATE FUNCTION fill.hi(us bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    'SELECT ((us / 1000) << 16) | 28672 | (((us % 1000) << 12) / 1000)';
CREATE FUNCTION fill.lo(n bigint, use int) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    'SELECT (hashint8extended(n, use) & 4611686018427387903) | (-9223372036854775808)::bigint';
CREATE FUNCTION fill.id(hi bigint, lo bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$SELECT (lpad(to_hex(hi), 16, '0') || to_hex(lo))::uuid$$;
CREATE FUNCTION fill.key(prefix text, hi bigint, lo bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$SELECT prefix || '_' || :letters$$;
CREATE FUNCTION fill.moment(us bigint) RETURNS timestamptz LANGUAGE sql STABLE AS
    $$SELECT timestamptz '1970-01-01 00:00:00+00' + us * interval '1 microsecond'$$;
CREATE TYPE fill.made_of AS (amounts int, parts int);
CREATE FUNCTION fill.minor(made fill.made_of, amount bigint, part bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    'SELECT (made).amounts * amount + (made).parts * part';
CREATE TABLE fill.wanted (rows bigint, days int, now_us bigint, first_names text[], first_ascii text[], last_names text[],
    last_ascii text[], domains text[]);
CREATE TABLE fill.tenants (number int, share_from float8, share_to float8, merchant_id uuid, live boolean, shop_id uuid,
    contract_id uuid, currency text, prefix text, actor text);
CREATE TABLE fill.accounts (tenant int, code text, id uuid);
CREATE TABLE fill.lives (name text, fresh boolean, share_from float8, share_to float8, span_us bigint, youngest_us bigint,
    oldest_us bigint);
CREATE TABLE fill.steps (life text, place int, at float8, kind text, noun text, state text, fact boolean, code text,
    reason text, actor text, stage text, is_open boolean, is_last boolean, payment_step int, recipe text, asked fill.made_of,
    booked fill.made_of, authorised fill.made_of, captured fill.made_of, cancelled fill.made_of, refunded fill.made_of,
    charged_back fill.made_of, status text);
CREATE TABLE fill.lines (life text, place int, code text, amount fill.made_of);
