"""What counts towards a daily limit: of whom, at which merchant, and whatever becomes of it.

`at_merchant` is no `merchant_id`: a grant may span merchants, and whoever adds up its day must see all of them, also in
a transaction that belongs to one. A row says who moved how much, and nothing of a merchant's business.
"""

import sqlalchemy as sa
from alembic import op

revision = "limits_counted"
down_revision = "whose_keys"


def upgrade() -> None:
    op.add_column("limit_uses", sa.Column("at_merchant", sa.Uuid(), nullable=True))
    op.add_column("limit_uses", sa.Column("asked", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE limit_uses u SET asked = u.amount,"
        " at_merchant = (SELECT o.merchant_id FROM operations o WHERE o.group_id = u.group_id LIMIT 1)"
    )
    op.execute("DELETE FROM limit_uses WHERE at_merchant IS NULL")  # of commands that were rolled back: there are none
    op.alter_column("limit_uses", "at_merchant", nullable=False)
    op.alter_column("limit_uses", "asked", nullable=False)
    op.drop_constraint(op.f("uq_limit_uses_group_id"), "limit_uses")
    op.create_unique_constraint(
        op.f("uq_limit_uses_group_id_actor_permission"), "limit_uses", ["group_id", "actor", "permission"]
    )


def downgrade() -> None:
    raise NotImplementedError("at which merchant something was done would be lost")
