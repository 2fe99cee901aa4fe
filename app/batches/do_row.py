"""`do_row()`: one row of a batch is one operation, asked for as if by hand: same rights, limits and four eyes.

Its idempotency key follows from batch and payment, so that a row is never done twice, whatever dies in between.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.approvals.ask import permit
from app.approvals.kinds import asker_of
from app.core.db import of, reading
from app.core.errors import Conflict, Refusal
from app.core.idempotency import IdempotencyKey, Once, Repeated
from app.core.texts import N_
from app.payments.cancel import cancel
from app.payments.capture import capture
from app.payments.permit import Hold
from app.payments.queries import OPERATIONS
from app.staff.access import Staff

Row = Mapping[str, Any]


class RightTakenAway(Refusal):
    kind = "permission"
    status = 403
    code = "right_taken_away"
    message = N_("Whoever started this may not do it any more.")
    advice = N_("Somebody with the right can choose the payment anew.")


class ChangedMeanwhile(Conflict):
    code = "changed_meanwhile"
    message = N_("The amount is not the one that was shown any more.")
    advice = N_("Look at the payment and do it by hand, or choose it anew.")


def do_row(batch: Row, row: Row, staff: Staff | None) -> UUID:
    """Returns the operation that came of it, whatever its state. Raises what the verbs and their permit raise."""
    if staff is None or not staff.may(f"payment.{batch['verb']}", row["merchant_id"]):
        raise RightTakenAway()
    allowed = permit(asker_of(staff), reason=batch["reason"])

    def as_shown(
        connection: Connection, payment: Mapping[str, Any], kind: str, amount: int, group_id: UUID, rest: int = 0
    ) -> Hold | None:
        if amount != row["amount"]:
            raise ChangedMeanwhile()
        return allowed(connection, payment, kind, amount, group_id, rest)

    to: dict[str, Any] = {name: row[name] for name in ("merchant_id", "live", "payment_id")}
    to |= {"actor": batch["actor"], "reason": batch["reason"], "once": _once(batch, row), "permit": as_shown}
    try:
        done = capture(**to) if batch["verb"] == "capture" else cancel(**to)
    except Repeated:
        found = done_before(batch, row)
        assert found is not None, "a key that is taken has made something"
        return found
    return done.operation["id"]


def done_before(batch: Row, row: Row) -> UUID | None:
    """The operation that an earlier attempt at this row left behind."""
    with reading(of(row["merchant_id"], row["live"])) as connection:
        made = connection.execute(
            select(IdempotencyKey.subject_type, IdempotencyKey.subject_id).where(
                IdempotencyKey.merchant_id == row["merchant_id"],
                IdempotencyKey.live == row["live"],
                IdempotencyKey.key == _once(batch, row).key,
            )
        ).first()
        if made is None or made.subject_type == "operation":
            return made.subject_id if made else None
        # Cancelling remembers its payment where an attempt was closed instead.
        newest = select(OPERATIONS.c.id).where(
            OPERATIONS.c.payment_id == row["payment_id"], OPERATIONS.c.kind.in_(("cancel", "authorise"))
        )
        return connection.execute(
            newest.order_by((OPERATIONS.c.kind == "cancel").desc(), OPERATIONS.c.id.desc())
        ).scalar()


def _once(batch: Row, row: Row) -> Once:
    return Once(f"batch:{batch['id']}:{row['payment_id']}", f"batch {batch['verb']}", str(row["amount"]).encode())
