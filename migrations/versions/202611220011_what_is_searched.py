"""Order and customer numbers of payments, and customers themselves, are found by the one search box."""

import sqlalchemy as sa
from alembic import op

revision = "what_is_searched"
down_revision = "approvals"

_PAYMENTS = {"order_key": "lower(order_number)", "customer_key": "lower(customer_number)"}
_CUSTOMERS = {
    "number_key": "lower(number)",
    "email_key": "lower(email)",
    "name_key": "lower(name)",
    "surname_key": "lower(regexp_replace(name, '^.*[[:space:]]', ''))",
}


def _key(name: str, expression: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), sa.Computed(expression, persisted=True), nullable=True)


def upgrade() -> None:
    for name, expression in _PAYMENTS.items():
        op.add_column("payments", _key(name, expression))
        columns, given = ["live", name, "id"], sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_payments_{name}", "payments", columns, postgresql_where=given)
    op.drop_index("ix_payments_customer_id", "payments")
    given = sa.text("customer_id IS NOT NULL")
    op.create_index("ix_payments_customer", "payments", ["live", "customer_id", "id"], postgresql_where=given)
    op.drop_index("ix_customers_email_key", "customers")
    op.drop_column("customers", "email_key")
    for name, expression in _CUSTOMERS.items():
        op.add_column("customers", _key(name, expression))
        op.create_index(f"ix_customers_{name}", "customers", ["live", name, "id"])


def downgrade() -> None:
    for name in _CUSTOMERS:
        op.drop_column("customers", name)
    op.add_column(
        "customers", sa.Column("email_key", sa.Text(), sa.Computed("lower(email)", persisted=True), nullable=True)
    )
    op.create_index("ix_customers_email_key", "customers", ["email_key"])
    op.drop_index("ix_payments_customer", "payments")
    op.create_index("ix_payments_customer_id", "payments", ["customer_id"])
    for name in _PAYMENTS:
        op.drop_column("payments", name)
