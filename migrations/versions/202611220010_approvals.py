"""Four eyes: requests for approval, comments, rules, what was used of daily limits; operations that wait."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "approvals"
down_revision = "documents_sealed_anew"

_MERCHANT = (
    "(CASE WHEN current_setting('zahlwerk.merchants', true) = 'all' THEN true"
    " ELSE merchant_id::text = ANY (string_to_array(current_setting('zahlwerk.merchants', true), ',')) END)"
)
_MODE = (
    "(CASE WHEN current_setting('zahlwerk.live', true) = 'any' THEN true"
    " ELSE live = (current_setting('zahlwerk.live', true) = 'true') END)"
)
_OPERATIONS = (
    "state IN ('created', 'submitted', 'pending_approval', 'failed', 'succeeded', 'declined', 'pending', 'action',"
    " 'unknown')"
)


def upgrade() -> None:
    op.drop_constraint("ck_operations_state", "operations")
    op.create_check_constraint(op.f("ck_operations_state"), "operations", _OPERATIONS)
    op.create_table(
        "approval_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("why", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'rejected', 'withdrawn', 'expired', 'stale', 'executed', 'failed')",
            name=op.f("ck_approval_requests_state"),
        ),
        sa.CheckConstraint(
            "(merchant_id IS NULL) = (live IS NULL)", name=op.f("ck_approval_requests_merchant_and_mode")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_requests")),
    )
    op.create_index(
        "uq_approval_requests_one_pending",
        "approval_requests",
        ["subject_id", "action"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_approval_requests_open",
        "approval_requests",
        ["expires_at"],
        postgresql_where=sa.text("state IN ('pending', 'approved')"),
    )
    op.create_index("ix_approval_requests_payment_id", "approval_requests", ["payment_id"])
    op.create_table(
        "approval_comments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_comments")),
    )
    op.create_index(op.f("ix_approval_comments_request_id"), "approval_comments", ["request_id"])
    op.create_table(
        "approval_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("above", sa.BigInteger(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("api_key_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(above IS NULL) = (currency IS NULL)", name=op.f("ck_approval_rules_amount_and_currency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_rules")),
    )
    op.create_table(
        "limit_uses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_uses")),
        sa.UniqueConstraint("group_id", name=op.f("uq_limit_uses_group_id")),
    )
    op.create_index("ix_limit_uses_of_a_day", "limit_uses", ["actor", "permission", "currency", "live", "day"])
    for table in ("approval_requests", "approval_comments"):
        sees = f"{_MERCHANT} AND {_MODE}"
        _guard(table, sees, sees)
    _guard("approval_rules", f"merchant_id IS NULL OR {_MERCHANT}", _MERCHANT)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON limit_uses TO zahlwerk_app")


def _guard(table: str, sees: str, writes: str) -> None:
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO zahlwerk_app")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({sees}) WITH CHECK ({writes})")


def downgrade() -> None:
    raise NotImplementedError("operations that wait for approval would have no state")
