"""What was taken or given back too much is a worklist until somebody has seen to it."""

import sqlalchemy as sa
from alembic import op

revision = "over"
down_revision = "clock_forward"


def upgrade() -> None:
    op.add_column("payments", sa.Column("over_seen", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index(
        "ix_payments_over",
        "payments",
        ["live", "id"],
        postgresql_where=sa.text("greatest(over_captured, captured - amount) + over_returned > over_seen"),
    )


def downgrade() -> None:
    op.drop_index("ix_payments_over", "payments")
    op.drop_column("payments", "over_seen")
