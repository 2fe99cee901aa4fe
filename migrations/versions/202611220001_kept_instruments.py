"""An authorisation may leave an instrument behind; a payment names it."""

import sqlalchemy as sa
from alembic import op

revision = "kept_instruments"
down_revision = "guards"


def upgrade() -> None:
    op.add_column("authorisations", sa.Column("store", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("instruments", sa.Column("pending", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("payments", sa.Column("instrument_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("payments", "instrument_id")
    op.drop_column("instruments", "pending")
    op.drop_column("authorisations", "store")
