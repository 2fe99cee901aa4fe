"""The event log says whose each event is, so that a merchant's are found without reading everybody's."""

import sqlalchemy as sa
from alembic import op

revision = "whose_events"
down_revision = "kept_instruments"

_SEES = (
    "(CASE WHEN current_setting('zahlwerk.merchants', true) = 'all' THEN true"
    " ELSE merchant_id::text = ANY (string_to_array(current_setting('zahlwerk.merchants', true), ',')) END)"
    " AND (CASE WHEN current_setting('zahlwerk.live', true) = 'any' THEN true"
    " ELSE live = (current_setting('zahlwerk.live', true) = 'true') END)"
)


def upgrade() -> None:
    op.add_column("event_log", sa.Column("merchant_id", sa.Uuid(), nullable=True))
    op.add_column("event_log", sa.Column("live", sa.Boolean(), nullable=True))
    op.add_column("event_log", sa.Column("public", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(
        "UPDATE event_log l SET merchant_id = e.merchant_id, live = e.live, public = e.audience = 'public'"
        " FROM events e WHERE e.id = l.event_id"
    )
    op.create_index(
        "ix_event_log_public", "event_log", ["merchant_id", "live", "position"], postgresql_where=sa.text("public")
    )
    op.execute("ALTER TABLE event_log ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON event_log USING ({_SEES}) WITH CHECK ({_SEES})")


def downgrade() -> None:
    op.execute("DROP POLICY tenant ON event_log")
    op.execute("ALTER TABLE event_log DISABLE ROW LEVEL SECURITY")
    op.drop_index("ix_event_log_public", "event_log")
    for column in ("public", "live", "merchant_id"):
        op.drop_column("event_log", column)
