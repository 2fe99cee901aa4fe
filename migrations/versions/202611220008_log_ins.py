"""Log-ins: sessions that can be seen and ended, second factors, links sent by mail; mails to the staff."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "log_ins"
down_revision = "figures"


def upgrade() -> None:
    op.add_column("staff_roles", sa.Column("second_factor", sa.Boolean(), nullable=True))
    op.alter_column("mails", "merchant_id", nullable=True)
    op.alter_column("mails", "live", nullable=True)
    _sessions()
    op.create_table(
        "staff_second_factors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_counter", sa.BigInteger(), nullable=True),
        sa.Column("totp_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "recovery_hashes", postgresql.ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("recovery_since", sa.DateTime(timezone=True), nullable=True),
        _of_user("staff_second_factors"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_staff_second_factors")),
    )
    op.create_table(
        "staff_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('invitation', 'reset')", name=op.f("ck_staff_links_purpose")),
        _of_user("staff_links"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_links")),
    )
    op.create_index("ix_staff_links_user_id", "staff_links", ["user_id", "created_at"])
    op.create_index("ix_staff_links_created_at", "staff_links", ["created_at"])
    for table in ("staff_sessions", "staff_second_factors", "staff_links"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO zahlwerk_app")


def _sessions() -> None:
    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("how", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        _of_user("staff_sessions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
    )
    op.create_index("ix_staff_sessions_user_id", "staff_sessions", ["user_id", "seen_at"])
    op.create_index("ix_staff_sessions_seen_at", "staff_sessions", ["seen_at"])


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["staff_users.id"], name=op.f(f"fk_{table}_user_id"), ondelete="CASCADE"
    )


def downgrade() -> None:
    for table in ("staff_links", "staff_second_factors", "staff_sessions"):
        op.drop_table(table)
    op.execute("DELETE FROM mails WHERE merchant_id IS NULL")
    op.alter_column("mails", "live", nullable=False)
    op.alter_column("mails", "merchant_id", nullable=False)
    op.drop_column("staff_roles", "second_factor")
