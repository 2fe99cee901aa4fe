"""When an operation was sent, what was last heard of it, when staff were told; and the currency of a dispute's fee."""

import sqlalchemy as sa
from alembic import op

revision = "what_was_heard"
down_revision = "next_runs"


def upgrade() -> None:
    for name in ("sent_at", "heard_at", "needs_staff_at"):
        op.add_column("operations", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    # That staff had been told stood where the provider's own words belong.
    op.execute("UPDATE operations SET needs_staff_at = updated_at, message = NULL WHERE message = 'worklist'")
    op.add_column("disputes", sa.Column("fee_currency", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("disputes", "fee_currency")
    for name in ("needs_staff_at", "heard_at", "sent_at"):
        op.drop_column("operations", name)
