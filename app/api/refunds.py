"""Refunds: give captured money back, whole or in parts."""

from typing import TYPE_CHECKING
from uuid import UUID

from flask import Response
from sqlalchemy import ScalarSelect, Select, select

from app.api._answers import answer, status_of
from app.api._callers import actor, needs, permitted, scope, tenant
from app.api._input import Amount, Body, Lines, Text255, plain_lines
from app.api._once import found, once, settled
from app.api._pictures import Refund
from app.api._resource import PENDING, resource
from app.core.db import reading
from app.core.idempotency import Repeated
from app.core.ids import parse_id
from app.payments.public import refund_picture
from app.payments.queries import OPERATIONS
from app.payments.refund import refund

api = resource("refunds", "Giving captured money back, whole or in parts.")


class NewRefund(Body):
    """How much to refund."""

    amount: Amount | None = None
    """Minor units. Left out: all that is left."""
    final: bool = False
    """The last one: a later refund of this payment is refused, unless this one fails."""
    reason: Text255 | None = None
    lines: Lines | None = None


@api.post("/payments/<payment_id>/refunds")
@needs("payment.refund")
@api.input(NewRefund, example={"amount": 1000, "reason": "Returned goods"})
@api.output(Refund, 201)
@api.doc(responses=PENDING)
def create(payment_id: str, json_data: NewRefund) -> Response:
    """Refund a payment

    A refund over several captures may need several calls to the provider (`parts`); its status is that of the
    least finished one, and `amount_refunded` what has gone back. Where it needs a second person's approval, its
    status is `pending_approval` until then.
    """
    try:
        done = refund(
            **tenant(),
            payment_id=parse_id("pay", payment_id),
            actor=actor(),
            amount=json_data.amount,
            final=json_data.final,
            reason=json_data.reason or "",
            lines=plain_lines(json_data.lines),
            once=once(),
            permit=permitted(json_data.reason),
        )
    except Repeated as repeated:
        parts = settled(_parts(repeated.subject_id))
        return answer(refund_picture([found(parts), *parts[1:]]), status_of(parts, 201), repeated=True)
    with reading(scope()) as connection:
        rows = [dict(row) for row in connection.execute(_parts(done.operation["group_id"])).mappings()]
    return answer(refund_picture(rows), status_of(rows, 201))


@api.get("/refunds/<refund_id>")
@needs("payment.read")
@api.output(Refund)
def get(refund_id: str) -> Response:
    """Get a refund

    For asking again about a refund that was answered with 202. All its parts count; the id of any of them finds it.
    """
    part = OPERATIONS.alias("part")
    group_id = (
        select(part.c.group_id).where(part.c.id == parse_id("op", refund_id), part.c.kind == "refund").scalar_subquery()
    )
    with reading(scope()) as connection:
        rows = [dict(row) for row in connection.execute(_parts(group_id)).mappings()]
    return answer(refund_picture([found(rows), *rows[1:]]))


def _parts(group_id: UUID | ScalarSelect[UUID]) -> Select[tuple]:
    return select(OPERATIONS).where(OPERATIONS.c.group_id == group_id).order_by(OPERATIONS.c.id)


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import refunds as _me

    _: Resource = _me
