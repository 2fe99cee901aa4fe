"""A run of a job says when the next one is due."""

import sqlalchemy as sa
from alembic import op

revision = "next_runs"
down_revision = "no_fact_fails"


def upgrade() -> None:
    op.add_column("job_runs", sa.Column("next_slot", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("job_runs", "next_slot")
