"""Captures: collect what was authorised, whole or in parts."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Response
from flask_babel import gettext
from sqlalchemy import func, select

from app.api._answers import answer, read_one, status_of
from app.api._callers import actor, needs, permitted, tenant
from app.api._input import Amount, Body, Lines, Text255, plain_lines
from app.api._once import found, once, settled
from app.api._pictures import CaptureMade
from app.api._resource import PENDING, resource
from app.connectors import CONNECTORS
from app.core.idempotency import Repeated
from app.core.ids import parse_id
from app.core.texts import N_
from app.payments.capture import capture
from app.payments.public import operation_picture
from app.payments.queries import AUTHORISATIONS, OPERATIONS, left_to_capture

api = resource("captures", "Collecting what was authorised, in as many parts as the provider takes.")

REST_RELEASED = N_("This provider captures once: the rest of %(rest)s minor units went back to the payer.")
REST_LAPSES = N_("The rest of %(rest)s minor units is not captured any more; the payer's bank frees it in time.")


class NewCapture(Body):
    """How much to capture, and whether that is all."""

    amount: Amount | None = None
    """Minor units. Left out: all that is left."""
    final: bool = False
    """The last capture: the rest is given back to the payer. Where the provider cannot do that, it is not captured any
    more and lapses by itself; `warnings` says so."""
    reason: Text255 | None = None
    lines: Lines | None = None


@api.post("/payments/<payment_id>/captures")
@needs("payment.capture")
@api.input(NewCapture, example={"amount": 2500, "reason": "First parcel"})
@api.output(CaptureMade, 201)
@api.doc(responses=PENDING)
def create(payment_id: str, json_data: NewCapture) -> Response:
    """Capture a payment

    At a provider that captures only once, the rest is given back to the payer; `warnings` says so. While the last
    capture is under way, no other is taken. Where it needs a second person's approval, its status is
    `pending_approval` until then.
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
            permit=permitted(json_data.reason),
        )
    except Repeated as repeated:
        operation = found(settled(select(OPERATIONS).where(OPERATIONS.c.id == repeated.subject_id)))
        body = operation_picture(operation) | {"warnings": _warnings(operation, json_data)}
        return answer(body, status_of([operation], 201), repeated=True)
    more_to_come = left_to_capture(done.payment) > 0 and not done.operation["final"]
    warnings = [] if more_to_come else _warnings(done.operation, json_data)
    return answer(operation_picture(done.operation) | {"warnings": warnings}, status_of([done.operation], 201))


def _warnings(operation: Mapping[str, Any], asked: NewCapture) -> list[dict[str, str]]:
    """A part was asked for, and not as the last one, yet with it the rest went back to the payer (or will). Or it was
    the last one, and the rest does not go back at once."""
    if asked.amount is None or operation["state"] in ("declined", "failed"):
        return []
    if asked.final:
        return _lapses(operation)
    cancelled_by_command = (
        select(func.coalesce(func.sum(OPERATIONS.c.amount), 0))
        .where(
            OPERATIONS.c.authorisation_id == AUTHORISATIONS.c.id,
            OPERATIONS.c.kind == "cancel",
            OPERATIONS.c.state.not_in(("declined", "failed")),
        )
        .scalar_subquery()
    )
    sums = read_one(
        select(AUTHORISATIONS, cancelled_by_command.label("commanded")).where(
            AUTHORISATIONS.c.id == operation["authorisation_id"]
        )
    )
    rest = sums["authorised"] - sums["captured"] - sums["capture_pending"] - sums["commanded"]
    if rest <= 0 or (left_to_capture(sums) > 0 and not operation["final"]):
        return []
    return [{"code": "rest_released", "message": gettext(REST_RELEASED, rest=rest)}]


def _lapses(operation: Mapping[str, Any]) -> list[dict[str, str]]:
    authorisation = read_one(select(AUTHORISATIONS).where(AUTHORISATIONS.c.id == operation["authorisation_id"]))
    rest = authorisation["authorised"] - authorisation["captured"] - authorisation["capture_pending"]
    if CONNECTORS[authorisation["provider"]].CAN.rest != "lapses" or rest <= 0:
        return []
    return [{"code": "rest_lapses", "message": gettext(REST_LAPSES, rest=rest)}]


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import captures as _me

    _: Resource = _me
