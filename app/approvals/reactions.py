"""What follows for daily limits when a command comes to nothing, or turns out to have been done after all."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from app.approvals import rules
from app.core.ids import parse_id
from app.core.reactions import together
from app.payments.queries import OPERATIONS

_AT_ONCE = 2  # written down, answered: that counts as it was written


def _changes(event: Mapping[str, Any]) -> bool:
    """Every no; a yes only if it did not come at once, and so may have been a no before."""
    return not event["name"].endswith(".succeeded") or (event["step"] or 0) > _AT_ONCE


@together(
    *("capture.declined", "capture.failed", "capture.revoked", "capture.succeeded"),
    *("refund.declined", "refund.failed", "refund.revoked", "refund.succeeded"),
    *("cancellation.declined", "cancellation.failed", "cancellation.succeeded"),
    when=_changes,
)
def recount_limit(connection: Connection, event: Mapping[str, Any]) -> None:
    """Whoever told it: a provider's later word counts as much as its first."""
    operation_id = parse_id("op", event["data"]["operation"])
    group_id = connection.execute(select(OPERATIONS.c.group_id).where(OPERATIONS.c.id == operation_id)).scalar_one()
    rules.recount(connection, group_id)
