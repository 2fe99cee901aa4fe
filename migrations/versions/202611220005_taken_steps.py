"""What payers answered to a risk check, and the sum above which they are asked."""

import sqlalchemy as sa
from alembic import op

revision = "taken_steps"
down_revision = "documents"

_SEES = (
    "(CASE WHEN current_setting('zahlwerk.merchants', true) = 'all' THEN true"
    " ELSE merchant_id::text = ANY (string_to_array(current_setting('zahlwerk.merchants', true), ',')) END)"
    " AND (CASE WHEN current_setting('zahlwerk.live', true) = 'any' THEN true"
    " ELSE live = (current_setting('zahlwerk.live', true) = 'true') END)"
)


def upgrade() -> None:
    op.add_column("amount_ceilings", sa.Column("details_above", sa.BigInteger(), nullable=True))
    op.create_table(
        "taken_steps",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("payment_id", "step", name=op.f("pk_taken_steps")),
    )
    op.create_index(op.f("ix_taken_steps_taken_at"), "taken_steps", ["taken_at"])
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON taken_steps TO zahlwerk_app")
    op.execute("ALTER TABLE taken_steps ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON taken_steps USING ({_SEES}) WITH CHECK ({_SEES})")


def downgrade() -> None:
    op.drop_table("taken_steps")
    op.drop_column("amount_ceilings", "details_above")
