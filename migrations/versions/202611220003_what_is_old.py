"""Indexes by which what has served its time is found (jobs/forget.py)."""

import sqlalchemy as sa
from alembic import op

revision = "what_is_old"
down_revision = "whose_events"


def upgrade() -> None:
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], postgresql_using="brin")
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], postgresql_using="brin")
    op.create_index("ix_instruments_pending", "instruments", ["created_at"], postgresql_where=sa.text("pending"))


def downgrade() -> None:
    op.drop_index("ix_instruments_pending", "instruments")
    op.drop_index("ix_inbox_received_at", "inbox")
    op.drop_index("ix_idempotency_keys_created_at", "idempotency_keys")
