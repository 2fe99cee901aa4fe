"""`see_over()`: somebody has seen to what is too much; it leaves the worklist until there is more."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, update

from app.core.db import atomic, of
from app.core.errors import Conflict
from app.core.events import tell
from app.core.ids import public_id
from app.core.texts import N_
from app.payments.queries import PAYMENTS, locked_payment

_P = PAYMENTS.c
# What is too much in all: taken beyond what was reserved or asked for, and given back beyond what was taken.
OVER: ColumnElement[int] = func.greatest(_P.over_captured, _P.captured - _P.amount) + _P.over_returned
UNSEEN: ColumnElement[bool] = _P.over_seen < OVER


class NothingOver(Conflict):
    code = "nothing_over"
    message = N_("Nothing was taken or given back too much that nobody has seen to.")


def see_over(*, merchant_id: UUID, live: bool, payment_id: UUID, actor: str) -> Mapping[str, Any]:
    """Returns the payment's row. Raises NotFound, NothingOver."""
    with atomic(of(merchant_id, live)) as connection:
        payment = locked_payment(connection, payment_id)
        amount = taken_too_much(payment) + payment["over_returned"]
        if amount <= payment["over_seen"]:
            raise NothingOver()
        connection.execute(update(PAYMENTS).where(_P.id == payment_id).values(over_seen=amount, step=_P.step + 1))
        tell(
            "payment.over_seen",
            subject=("payment", payment_id),
            merchant_id=merchant_id,
            live=live,
            audience="staff",
            payment_id=payment_id,
            payment_step=payment["step"] + 1,
            data={"payment": {"id": public_id("pay", payment_id)}, "amount": amount, "currency": payment["currency"]},
            actor=actor,
        )
        return {**payment, "over_seen": amount, "step": payment["step"] + 1}


def taken_too_much(payment: Mapping[str, Any]) -> int:
    """Beyond what was reserved, or over all attempts beyond what was asked for."""
    return max(payment["over_captured"], payment["captured"] - payment["amount"])
