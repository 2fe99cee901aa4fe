"""An operation says what it gave back of the reservation, so that a proof can add it up."""

import sqlalchemy as sa
from alembic import op

revision = "what_was_released"
down_revision = "one_debt"

# What cancellations moved stands in them; what is left of an authorisation's sum was let go by its last capture.
_CANCELLATIONS = """
UPDATE operations SET released_amount = booked_amount
WHERE kind = 'cancel' AND state = 'succeeded' AND booked_amount > 0
"""
_CAPTURES = """
UPDATE operations o SET released_amount = o.released_amount + rest.amount
FROM (
    SELECT a.id, a.cancelled - coalesce(sum(c.released_amount), 0) AS amount,
           (SELECT l.id FROM operations l WHERE l.authorisation_id = a.id AND l.kind IN ('capture', 'cancel')
            ORDER BY (l.kind = 'capture' AND l.state = 'succeeded') DESC, l.id DESC LIMIT 1) AS last_id
    FROM authorisations a LEFT JOIN operations c ON c.authorisation_id = a.id AND c.kind = 'cancel'
    GROUP BY a.id HAVING a.cancelled <> coalesce(sum(c.released_amount), 0)
) rest
WHERE o.id = rest.last_id
"""


def upgrade() -> None:
    op.add_column("operations", sa.Column("released_amount", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(_CANCELLATIONS)
    op.execute(_CAPTURES)


def downgrade() -> None:
    op.drop_column("operations", "released_amount")
