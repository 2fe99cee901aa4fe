"""Captures: collect what was authorised, whole or in parts."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Response
from flask_babel import gettext
from sqlalchemy import select

from app.api._answers import answer, status_of
from app.api._callers import actor, needs, scope, tenant
from app.api._input import Amount, Body, Lines, Text255, plain_lines
from app.api._once import found, once, settled
from app.api._pictures import CaptureMade
from app.api._resource import PENDING, resource
from app.core.db import reading
from app.core.idempotency import Repeated
from app.core.ids import parse_id
from app.core.texts import N_
from app.payments.capture import capture
from app.payments.public import operation_picture
from app.payments.queries import AUTHORISATIONS, OPERATIONS

api = resource("captures", "Collecting what was authorised, in as many parts as the provider takes.")

REST_RELEASED = N_("This provider captures once: the rest of %(rest)s minor units went back to the payer.")


class NewCapture(Body):
    """How much to capture, and whether that is all."""

    amount: Amount | None = None
    """Minor units. Left out: all that is left."""
    final: bool = False
    """Give the rest back to the payer."""
    reason: Text255 | None = None
    lines: Lines | None = None


@api.post("/payments/<payment_id>/captures")
@needs("payment.capture")
@api.input(NewCapture, example={"amount": 2500, "reason": "First parcel"})
@api.output(CaptureMade, 201)
@api.doc(responses=PENDING)
def create(payment_id: str, json_data: NewCapture) -> Response:
    """Capture a payment

    At a provider that captures only once, the rest is given back to the payer; `warnings` says so.
    """
    try:
        done = capture(
            **tenant(),
            payment_id=parse_id("pay", payment_id),
            actor=actor(),
            amount=json_data.amount,
            final=json_data.final,
            reason=json_data.reason or "",
            lines=plain_lines(json_data.lines),
            once=once(),
        )
    except Repeated as repeated:
        operation = found(settled(select(OPERATIONS).where(OPERATIONS.c.id == repeated.subject_id)))
        return answer(_picture(operation, json_data), status_of([operation], 201), repeated=True)
    return answer(_picture(done.operation, json_data), status_of([done.operation], 201))


def _picture(operation: Mapping[str, Any], asked: NewCapture) -> dict[str, Any]:
    return operation_picture(operation) | {"warnings": _warnings(operation, asked)}


def _warnings(operation: Mapping[str, Any], asked: NewCapture) -> list[dict[str, str]]:
    """A part was asked for and not as the last one, but the capture was the last one: the provider takes only one."""
    alive = operation["state"] not in ("declined", "failed")
    if asked.amount is None or asked.final or not operation["final"] or not alive:
        return []
    with reading(scope()) as connection:
        authorised = connection.execute(
            select(AUTHORISATIONS.c.authorised).where(AUTHORISATIONS.c.id == operation["authorisation_id"])
        ).scalar_one()
        before = connection.execute(
            select(OPERATIONS.c.booked_amount).where(
                OPERATIONS.c.authorisation_id == operation["authorisation_id"],
                OPERATIONS.c.kind == "capture",
                OPERATIONS.c.state == "succeeded",
                OPERATIONS.c.id < operation["id"],
            )
        ).scalars()
        rest = authorised - sum(before) - operation["amount"]
    if rest <= 0:
        return []
    return [{"code": "rest_released", "message": gettext(REST_RELEASED, rest=rest)}]


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import captures as _me

    _: Resource = _me
