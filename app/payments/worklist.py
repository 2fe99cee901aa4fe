"""The staff's worklist: operations of which nobody has told for so long that a person should look.

UNKNOWN stands there at once, because money may have moved; PENDING when its patience is over. Both are closed by
news, by an answer, or by a correction.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, update

from app.core.clock import now
from app.core.events import tell
from app.core.ids import public_id
from app.methods import METHODS
from app.payments.queries import OPERATIONS, Held

STAFF_AFTER = timedelta(hours=24)
SLOW_STAFF_AFTER = timedelta(days=5)  # banks take days for a refund, and for methods that are slow by nature

WAITS_FOR_STAFF: ColumnElement[bool] = and_(
    OPERATIONS.c.state.in_(("unknown", "pending")),  # in these words, so that the index of what is open is used
    or_(OPERATIONS.c.state == "unknown", OPERATIONS.c.needs_staff_at.is_not(None)),
)
# The same in SQL, for statements that count many things at once.
WAITS_FOR_STAFF_SQL = "state IN ('unknown', 'pending') AND (state = 'unknown' OR needs_staff_at IS NOT NULL)"
SENT_AT = func.coalesce(OPERATIONS.c.sent_at, OPERATIONS.c.created_at)


def waits_for_staff(operation: Mapping[str, Any]) -> bool:
    pending = operation["state"] == "pending" and operation["needs_staff_at"] is not None
    return operation["state"] == "unknown" or pending


def tell_staff_if_old(connection: Connection, held: Held) -> None:
    """Puts the held operation on the worklist and tells staff, once, when its patience is over."""
    operation = held.operation
    if operation["state"] not in ("unknown", "pending") or operation["needs_staff_at"] is not None:
        return
    if now() - sent_at(operation) <= patience(held):
        return
    connection.execute(update(OPERATIONS).where(OPERATIONS.c.id == operation["id"]).values(needs_staff_at=now()))
    tell(
        "operation.needs_staff",
        subject=("operation", operation["id"]),
        merchant_id=operation["merchant_id"],
        live=operation["live"],
        payment_id=operation["payment_id"],
        audience="staff",
        data={"operation": public_id("op", operation["id"]), "state": operation["state"]},
        actor="job:resolve",
    )


def sent_at(operation: Mapping[str, Any]) -> datetime:
    """Since when the provider has it: what waited for an approval or for the payer was sent later than written down."""
    return operation["sent_at"] or operation["created_at"]


def patience(held: Held) -> timedelta:
    operation = held.operation
    if operation["state"] == "unknown":
        return STAFF_AFTER
    method = METHODS.get(held.authorisation["method"])
    slow = operation["kind"] == "refund" or (method is not None and method.SLOW)
    return SLOW_STAFF_AFTER if slow else STAFF_AFTER
