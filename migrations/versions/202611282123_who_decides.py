"""Requests may carry sealed parameters; who was only invited decides nothing; a rule of all is removed only over all."""

import sqlalchemy as sa
from alembic import op

revision = "who_decides"
down_revision = "limits_counted"

_MERCHANT = (
    "(CASE WHEN current_setting('zahlwerk.merchants', true) = 'all' THEN true"
    " ELSE merchant_id::text = ANY (string_to_array(current_setting('zahlwerk.merchants', true), ',')) END)"
)
# Until now nothing says who has a password of their own; whoever logged in, or was never only invited, has.
_HAVE_ONE = (
    "UPDATE staff_users u SET password_set_at = now() WHERE u.last_login_at IS NOT NULL"
    " OR EXISTS (SELECT 1 FROM events e WHERE e.subject_type = 'staff' AND e.subject_id = u.id"
    " AND e.name IN ('staff.invitation_accepted', 'staff.password_changed'))"
    " OR NOT EXISTS (SELECT 1 FROM events e WHERE e.subject_type = 'staff' AND e.subject_id = u.id"
    " AND e.name = 'staff.invited')"
)


def upgrade() -> None:
    op.add_column("approval_requests", sa.Column("sealed_params", sa.LargeBinary(), nullable=True))
    op.add_column("staff_users", sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_HAVE_ONE)
    # The policy that lets a merchant's people read the rules of all would let them be changed and removed as well.
    for command in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE POLICY own_{command.lower()} ON approval_rules AS RESTRICTIVE FOR {command} USING ({_MERCHANT})"
        )


def downgrade() -> None:
    for command in ("update", "delete"):
        op.execute(f"DROP POLICY own_{command} ON approval_rules")
    op.drop_column("staff_users", "password_set_at")
    op.drop_column("approval_requests", "sealed_params")
