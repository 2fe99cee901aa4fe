"""Figures per hour and day for the dashboards, rolled up from operations, and the depths of queues."""

import sqlalchemy as sa
from alembic import op

revision = "figures"
down_revision = "grants"

_SEES = (
    "(CASE WHEN current_setting('zahlwerk.merchants', true) = 'all' THEN true"
    " ELSE merchant_id::text = ANY (string_to_array(current_setting('zahlwerk.merchants', true), ',')) END)"
    " AND (CASE WHEN current_setting('zahlwerk.live', true) = 'any' THEN true"
    " ELSE live = (current_setting('zahlwerk.live', true) = 'true') END)"
)
_MONEY = (
    *("authorised_count", "authorised_amount", "declined_count", "captured_count", "captured_amount"),
    *("refunded_count", "refunded_amount", "charged_back_count", "charged_back_amount"),
    *("reversed_count", "reversed_amount"),
)
_ATTEMPT_KEYS = ("contract_id", "method", "country", "outcome", "code")


def upgrade() -> None:
    op.create_table(
        "money_figures",
        *_slot(),
        sa.Column("currency", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _MONEY),
        sa.PrimaryKeyConstraint(*_SLOT, "currency", name=op.f("pk_money_figures")),
        sa.CheckConstraint("span IN ('hour', 'day')", name=op.f("ck_money_figures_span")),
    )
    op.create_table(
        "attempt_figures",
        *_slot(),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _ATTEMPT_KEYS[1:]),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*_SLOT, *_ATTEMPT_KEYS, name=op.f("pk_attempt_figures")),
        sa.CheckConstraint("span IN ('hour', 'day')", name=op.f("ck_attempt_figures_span")),
        sa.CheckConstraint(
            "outcome IN ('approved', 'declined', 'not_sent', 'open')", name=op.f("ck_attempt_figures_outcome")
        ),
    )
    for table in ("money_figures", "attempt_figures"):
        op.create_index(f"ix_{table}_merchant_id", table, ["merchant_id", "live", "span", "starts_at"])
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({_SEES}) WITH CHECK ({_SEES})")
    op.create_table(
        "queue_depths",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("deepest", sa.BigInteger(), nullable=False),
        sa.Column("latest", sa.BigInteger(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hour", "queue", name=op.f("pk_queue_depths")),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON money_figures, attempt_figures, queue_depths TO zahlwerk_app")


_SLOT = ("span", "starts_at", "merchant_id", "live")


def _slot() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("span", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
    )


def downgrade() -> None:
    for table in ("queue_depths", "attempt_figures", "money_figures"):
        op.drop_table(table)
