"""Authorisations whose yes came without the token of a card that is to be kept: a job asks for it."""

import sqlalchemy as sa
from alembic import op

revision = "details_are_fetched"
down_revision = "what_is_closed_lapses"

_NAME = "ix_operations_details_wanted"


def upgrade() -> None:
    wanted = sa.text("state = 'succeeded' AND enquire_at IS NOT NULL")
    op.create_index(_NAME, "operations", ["enquire_at"], postgresql_where=wanted)


def downgrade() -> None:
    op.drop_index(_NAME, "operations")
