"""Exports: lists of payments as files, made piece by piece."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "exports"
down_revision = "desks"


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("merchants", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("filters", postgresql.JSONB(), nullable=False),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("oldest_first", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("pieces", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("cursor", sa.Uuid(), nullable=True),
        sa.Column("why", postgresql.JSONB(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("form IN ('csv', 'xlsx')", name=op.f("ck_exports_form")),
        sa.CheckConstraint("state IN ('waiting', 'ready', 'refused')", name=op.f("ck_exports_state")),
        sa.CheckConstraint("(state = 'refused') = (why IS NOT NULL)", name=op.f("ck_exports_refused_says_why")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    op.create_index("ix_exports_waiting", "exports", ["id"], postgresql_where=sa.text("state = 'waiting'"))
    op.create_index("ix_exports_asked_by", "exports", ["asked_by", "id"])
    op.create_table(
        "export_pieces",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('rows', 'file')", name=op.f("ck_export_pieces_kind")),
        sa.ForeignKeyConstraint(
            ["export_id"], ["exports.id"], name=op.f("fk_export_pieces_export_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("export_id", "kind", "number", name=op.f("pk_export_pieces")),
    )
    for table in ("exports", "export_pieces"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO zahlwerk_app")


def downgrade() -> None:
    op.drop_table("export_pieces")
    op.drop_table("exports")
