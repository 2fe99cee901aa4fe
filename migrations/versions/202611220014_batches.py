"""Many payments at once: batches and their rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "batches"
down_revision = "privacy"

_SEES = (
    "(CASE WHEN current_setting('zahlwerk.merchants', true) = 'all' THEN true"
    " ELSE merchant_id::text = ANY (string_to_array(current_setting('zahlwerk.merchants', true), ',')) END)"
    " AND (CASE WHEN current_setting('zahlwerk.live', true) = 'any' THEN true"
    " ELSE live = (current_setting('zahlwerk.live', true) = 'true') END)"
)


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("merchants", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("verb IN ('capture', 'cancel')", name=op.f("ck_batches_verb")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint("nonce", name=op.f("uq_batches_nonce")),
    )
    op.create_index("ix_batches_under_way", "batches", ["id"], postgresql_where=sa.text("finished_at IS NULL"))
    op.create_table(
        "batch_rows",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.Column("why", postgresql.JSONB(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'done', 'refused', 'stopped')", name=op.f("ck_batch_rows_state")),
        sa.CheckConstraint(
            "(state = 'done') = (operation_id IS NOT NULL)", name=op.f("ck_batch_rows_done_is_an_operation")
        ),
        sa.CheckConstraint("(state = 'refused') = (why IS NOT NULL)", name=op.f("ck_batch_rows_refused_says_why")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_rows_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "number", name=op.f("pk_batch_rows")),
        sa.UniqueConstraint("batch_id", "payment_id", name=op.f("uq_batch_rows_batch_id_payment_id")),
    )
    op.create_index(
        "ix_batch_rows_waiting", "batch_rows", ["batch_id", "number"], postgresql_where=sa.text("state = 'waiting'")
    )
    for table in ("batches", "batch_rows"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO zahlwerk_app")
    op.execute("ALTER TABLE batch_rows ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON batch_rows USING ({_SEES}) WITH CHECK ({_SEES})")


def downgrade() -> None:
    op.drop_table("batch_rows")
    op.drop_table("batches")
