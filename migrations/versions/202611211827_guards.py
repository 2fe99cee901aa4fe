"""What the database itself sees to: row-level security, grants, balanced books, the event queue."""

from alembic import op

revision = "guards"
down_revision = "start"

# Tables whose rows belong to one merchant in one mode.
TENANT_TABLES = (
    "api_keys amount_ceilings authorisations block_entries checkouts collectors contracts customers deliveries disputes"
    " event_details events idempotency_keys inbox inbox_facts instrument_tokens instruments ledger_accounts"
    " ledger_closed_periods ledger_entries ledger_lines ledger_snapshots mails operations payments receivables"
    " risk_decisions routing_decisions webhook_endpoints"
).split()

# Rows of these are only ever added.
APPEND_ONLY = (
    "event_log events inbox_facts ledger_accounts ledger_closed_periods ledger_entries ledger_lines ledger_snapshots"
    " risk_decisions routing_decisions"
).split()

OTHER_TABLES = (
    "event_queue failed_reactions job_runs merchants reaction_cursors roles_users shops staff_refresh_tracker staff_roles"
    " staff_users staff_webauthn"
).split()

# CASE and not OR: the planner takes an OR of settings for one in a hundred rows, and then reads all there is where
# reading in order and stopping would do. A setting that is missing is NULL and shows nothing.
SEES_MERCHANT = (
    "(CASE WHEN current_setting('zahlwerk.merchants', true) = 'all' THEN true"
    " ELSE {column}::text = ANY (string_to_array(current_setting('zahlwerk.merchants', true), ',')) END)"
)
SEES_MODE = (
    "(CASE WHEN current_setting('zahlwerk.live', true) = 'any' THEN true"
    " ELSE live = (current_setting('zahlwerk.live', true) = 'true') END)"
)


def upgrade() -> None:
    _grants()
    for table in TENANT_TABLES:
        _policy(table, f"{SEES_MERCHANT.format(column='merchant_id')} AND {SEES_MODE}")
    _policy("merchants", SEES_MERCHANT.format(column="id"))
    _policy("shops", SEES_MERCHANT.format(column="merchant_id"))
    op.execute(EVENT_QUEUE)
    op.execute(BALANCED)
    op.execute(CLOSED)
    op.execute(AUTHENTICATE)


def _grants() -> None:
    op.execute("GRANT USAGE ON SCHEMA public TO zahlwerk_app")
    for table in APPEND_ONLY:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO zahlwerk_app")
    for table in (*TENANT_TABLES, *OTHER_TABLES):
        if table not in APPEND_ONLY:
            op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO zahlwerk_app")
    op.execute("GRANT SELECT ON alembic_version TO zahlwerk_app")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO zahlwerk_app")


def _policy(table: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({condition}) WITH CHECK ({condition})")


EVENT_QUEUE = """
CREATE FUNCTION queue_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_queue (event_id) SELECT id FROM fresh;
    RETURN NULL;
END $$;
CREATE TRIGGER queue_events AFTER INSERT ON events REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION queue_events();
"""

# The check runs as the owner, whom row-level security does not bind: it sees every line of the entry.
BALANCED = """
CREATE FUNCTION entry_is_balanced() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    wanted uuid := (to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'ledger_entries' THEN 'id' ELSE 'entry_id' END)::uuid;
    lines integer;
BEGIN
    SELECT count(*) INTO lines FROM ledger_lines WHERE entry_id = wanted;
    IF lines < 2 THEN
        RAISE EXCEPTION 'ledger entry % has % lines', wanted, lines USING ERRCODE = 'ZW002';
    END IF;
    IF EXISTS (SELECT 1 FROM ledger_lines WHERE entry_id = wanted GROUP BY currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'ledger entry % does not balance', wanted USING ERRCODE = 'ZW002';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER entry_is_balanced AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION entry_is_balanced();
CREATE CONSTRAINT TRIGGER line_is_balanced AFTER INSERT ON ledger_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION entry_is_balanced();
"""

CLOSED = """
CREATE FUNCTION period_is_open() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM ledger_closed_periods
               WHERE merchant_id = NEW.merchant_id AND live = NEW.live AND last_day >= NEW.booking_date) THEN
        RAISE EXCEPTION 'the books are closed for %', NEW.booking_date USING ERRCODE = 'ZW001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER period_is_open BEFORE INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION period_is_open();
"""


# Runs as the owner, so that a key can be looked up before anybody knows whose scope to take.
AUTHENTICATE = """
CREATE FUNCTION authenticate_key(wanted bytea)
RETURNS TABLE (id uuid, merchant_id uuid, live boolean, permissions text[], expires_at timestamptz,
               revoked_at timestamptz, clock_offset_seconds bigint, timezone text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT k.id, k.merchant_id, k.live, k.permissions, k.expires_at, k.revoked_at, m.clock_offset_seconds, m.timezone
    FROM api_keys k JOIN merchants m ON m.id = k.merchant_id WHERE k.digest = wanted
$$;
REVOKE ALL ON FUNCTION authenticate_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authenticate_key(bytea) TO zahlwerk_app;
"""


def downgrade() -> None:
    raise NotImplementedError("the guards are never taken down")
