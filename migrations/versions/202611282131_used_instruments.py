"""When a stored card was last used is found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "used_instruments"
down_revision = "who_decides"


def upgrade() -> None:
    op.create_index(
        "ix_payments_instrument",
        "payments",
        ["instrument_id", "id"],
        postgresql_where=sa.text("instrument_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_payments_instrument", table_name="payments")
