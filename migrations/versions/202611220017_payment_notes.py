"""Notes of staff on payments: sealed, never changed, erased with the customer."""

import sqlalchemy as sa
from alembic import op

revision = "payment_notes"
down_revision = "exports"

_SEES = (
    "(CASE WHEN current_setting('zahlwerk.merchants', true) = 'all' THEN true"
    " ELSE merchant_id::text = ANY (string_to_array(current_setting('zahlwerk.merchants', true), ',')) END)"
    " AND (CASE WHEN current_setting('zahlwerk.live', true) = 'any' THEN true"
    " ELSE live = (current_setting('zahlwerk.live', true) = 'true') END)"
)


def upgrade() -> None:
    op.create_table(
        "payment_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(sealed IS NULL) = (erased_at IS NOT NULL)", name=op.f("ck_payment_notes_there_or_erased")),
        sa.ForeignKeyConstraint(
            ["payment_id", "merchant_id", "live"],
            ["payments.id", "payments.merchant_id", "payments.live"],
            name=op.f("fk_payment_notes_payment_id_merchant_id_live"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_notes")),
    )
    op.create_index("ix_payment_notes_payment_id", "payment_notes", ["payment_id", "id"])
    op.create_index(
        "ix_payment_notes_kept", "payment_notes", ["written_at"], postgresql_where=sa.text("erased_at IS NULL")
    )
    op.execute("GRANT SELECT, INSERT, UPDATE (sealed, erased_at) ON payment_notes TO zahlwerk_app")
    op.execute("ALTER TABLE payment_notes ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON payment_notes USING ({_SEES}) WITH CHECK ({_SEES})")


def downgrade() -> None:
    op.drop_table("payment_notes")
