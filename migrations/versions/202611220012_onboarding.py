"""What came of testing a contract's connection, and the keyed fingerprint of the card of each attempt to pay."""

import sqlalchemy as sa
from alembic import op

revision = "onboarding"
down_revision = "what_is_searched"


def upgrade() -> None:
    op.add_column("contracts", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("contracts", sa.Column("check_result", sa.Text(), nullable=True))
    op.add_column("authorisations", sa.Column("card_fingerprint", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("authorisations", "card_fingerprint")
    op.drop_column("contracts", "check_result")
    op.drop_column("contracts", "checked_at")
