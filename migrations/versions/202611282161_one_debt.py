"""Several payments may point at one debt: they and its collectors are found by it."""

import sqlalchemy as sa
from alembic import op

revision = "one_debt"
down_revision = "used_instruments"


def upgrade() -> None:
    op.create_index(
        "ix_payments_receivable",
        "payments",
        ["receivable_id"],
        postgresql_where=sa.text("receivable_id IS NOT NULL"),
    )
    op.create_index("ix_collectors_receivable", "collectors", ["receivable_id", "payment_id"])


def downgrade() -> None:
    op.drop_index("ix_collectors_receivable", "collectors")
    op.drop_index("ix_payments_receivable", "payments")
