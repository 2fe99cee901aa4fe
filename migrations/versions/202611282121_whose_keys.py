"""A key knows who has seen its secret, and of which key it is the successor."""

import sqlalchemy as sa
from alembic import op

revision = "whose_keys"
down_revision = "what_was_heard"

AUTHENTICATE = """
CREATE FUNCTION authenticate_key(wanted bytea)
RETURNS TABLE (id uuid, merchant_id uuid, live boolean, permissions text[], expires_at timestamptz,
               revoked_at timestamptz, clock_offset_seconds bigint, timezone text, limits jsonb, lineage uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT k.id, k.merchant_id, k.live, k.permissions, k.expires_at, k.revoked_at, m.clock_offset_seconds,
           m.timezone, k.limits, k.lineage
    FROM api_keys k JOIN merchants m ON m.id = k.merchant_id WHERE k.digest = wanted
$$;
REVOKE ALL ON FUNCTION authenticate_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authenticate_key(bytea) TO zahlwerk_app;
"""
# Whose secret an older key is stands in the event that told of it.
_ISSUERS = (
    "UPDATE api_keys SET issued_by = e.actor FROM events e"
    " WHERE e.name = 'api_key.issued' AND e.subject_type = 'api_key' AND e.subject_id = api_keys.id"
)


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("issued_by", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("lineage", sa.Uuid(), nullable=True))
    op.execute("UPDATE api_keys SET lineage = id")
    op.alter_column("api_keys", "lineage", nullable=False)
    op.create_index(op.f("ix_api_keys_lineage"), "api_keys", ["lineage"])
    op.execute(_ISSUERS)
    op.execute("DROP FUNCTION authenticate_key(bytea)")
    op.execute(AUTHENTICATE)


def downgrade() -> None:
    raise NotImplementedError("who has seen a key's secret would be forgotten")
