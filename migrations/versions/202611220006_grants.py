"""Rights are grants: a role, for some merchants or all, with limits. API keys carry limits too."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "grants"
down_revision = "taken_steps"

AUTHENTICATE = """
CREATE FUNCTION authenticate_key(wanted bytea)
RETURNS TABLE (id uuid, merchant_id uuid, live boolean, permissions text[], expires_at timestamptz,
               revoked_at timestamptz, clock_offset_seconds bigint, timezone text, limits jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT k.id, k.merchant_id, k.live, k.permissions, k.expires_at, k.revoked_at, m.clock_offset_seconds,
           m.timezone, k.limits
    FROM api_keys k JOIN merchants m ON m.id = k.merchant_id WHERE k.digest = wanted
$$;
REVOKE ALL ON FUNCTION authenticate_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authenticate_key(bytea) TO zahlwerk_app;
"""


def upgrade() -> None:
    op.add_column("staff_roles", sa.Column("label", sa.Text(), nullable=True))
    op.create_table(
        "staff_grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.Column("merchants", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("limits", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["staff_roles.id"], name=op.f("fk_staff_grants_role_id")),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["staff_users.id"],
            name=op.f("fk_staff_grants_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_grants")),
    )
    op.create_index(op.f("ix_staff_grants_user_id"), "staff_grants", ["user_id"])
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON staff_grants TO zahlwerk_app")
    op.execute(
        "INSERT INTO staff_grants (id, user_id, role_id, granted_at)"
        " SELECT gen_random_uuid(), user_id, role_id, now() FROM roles_users"
    )
    op.drop_table("roles_users")
    op.add_column("api_keys", sa.Column("limits", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False))
    op.execute("DROP FUNCTION authenticate_key(bytea)")
    op.execute(AUTHENTICATE)


def downgrade() -> None:
    raise NotImplementedError("what grants say about merchants and limits would be lost")
