"""What follows when a command with a daily limit came to nothing: it does not count."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from app.approvals import rules
from app.core.ids import parse_id
from app.core.reactions import together
from app.payments.queries import OPERATIONS


def _by_somebody(event: Mapping[str, Any]) -> bool:
    return str(event["actor"]).startswith(("staff:", "key:"))


@together(
    *("capture.declined", "capture.failed", "refund.declined", "refund.failed"),
    *("cancellation.declined", "cancellation.failed"),
    when=_by_somebody,
)
def give_back_limit(connection: Connection, event: Mapping[str, Any]) -> None:
    operation_id = parse_id("op", event["data"]["operation"])
    group_id = connection.execute(select(OPERATIONS.c.group_id).where(OPERATIONS.c.id == operation_id)).scalar_one()
    rules.give_back(connection, group_id)
