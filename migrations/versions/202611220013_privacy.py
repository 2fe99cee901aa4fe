"""Customers can be restricted (Art. 18 GDPR); what staff did is found by who did it."""

import sqlalchemy as sa
from alembic import op

revision = "privacy"
down_revision = "onboarding"


def upgrade() -> None:
    op.add_column("customers", sa.Column("restricted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_customers_restricted", "customers", ["live"], postgresql_where=sa.text("restricted_at IS NOT NULL")
    )
    op.create_index("ix_events_staff", "events", ["actor", "id"], postgresql_where=sa.text("actor LIKE 'staff:%'"))


def downgrade() -> None:
    op.drop_index("ix_events_staff", table_name="events")
    op.drop_index("ix_customers_restricted", table_name="customers")
    op.drop_column("customers", "restricted_at")
