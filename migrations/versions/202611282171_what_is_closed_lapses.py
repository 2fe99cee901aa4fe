"""What lapses by time is found also where its attempt is closed: a late yes whose cancellation was refused."""

import sqlalchemy as sa
from alembic import op

revision = "what_is_closed_lapses"
down_revision = "over"

_NAME = "ix_authorisations_expires_at"
_LEFT = "captured + cancelled < authorised"


def upgrade() -> None:
    op.drop_index(_NAME, "authorisations")
    op.create_index(_NAME, "authorisations", ["expires_at"], postgresql_where=sa.text(_LEFT))


def downgrade() -> None:
    op.drop_index(_NAME, "authorisations")
    op.create_index(_NAME, "authorisations", ["expires_at"], postgresql_where=sa.text(f"is_open AND {_LEFT}"))
