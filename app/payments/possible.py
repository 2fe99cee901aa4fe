"""What can be done with a payment now, and why not what cannot: the operations' own checks, without a lock."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select, true

from app.connectors import CONNECTORS
from app.core.errors import Refusal
from app.payments import cancel, capture, refund
from app.payments.close import CLOSABLE
from app.payments.history import open_of
from app.payments.queries import OPERATIONS, Held
from app.payments.reauthorise import refuse_unanswered
from app.payments.review import NotHeld, captures_itself


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be done with up to `amount` minor units, or why it cannot."""

    amount: int = 0
    refused: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Possible:
    """`captures_once`: the provider releases what one capture leaves over. `keeps_rest`: a rest can stay reserved.
    `rest_lapses`: after the last capture it stays so until the payer's bank frees it."""

    capture: Offer
    refund: Offer
    cancel: Offer
    release: Offer
    captures_once: bool = False
    keeps_rest: bool = False
    rest_lapses: bool = False


def possible(connection: Connection, payment: Mapping[str, Any]) -> Possible:
    """`payment`: a row of history.overview()."""
    held = open_of(connection, payment)
    can = CONNECTORS[held.contract["provider"]].CAN if held else None
    return Possible(
        capture=_capture(connection, held),
        refund=_refund(connection, payment),
        cancel=_cancel(connection, payment, held),
        release=_release(held),
        captures_once=can is not None and can.captures == "one",
        keeps_rest=can is not None and can.captures == "many",
        rest_lapses=can is not None and can.rest == "lapses",
    )


def _capture(connection: Connection, held: Held | None) -> Offer:
    if held is None:
        return Offer(refused=capture.NothingToCapture())
    try:
        left, _ = capture.check(held, None, False)
        refuse_unanswered(connection, held)
        capture.refuse_after_last(connection, held)
        return Offer(left)
    except Refusal as refusal:
        return Offer(refused=refusal)


def _release(held: Held | None) -> Offer:
    """With what it captures: a payment that captures itself does so as soon as nothing holds it."""
    if held is None or not held.authorisation["held_for_review"]:
        return Offer(refused=NotHeld())
    if not captures_itself(held):
        return Offer()
    released = replace(held, authorisation={**held.authorisation, "held_for_review": False})
    try:
        return Offer(capture.check(released, None, True)[0])
    except Refusal as refusal:
        return Offer(refused=refusal)


def _refund(connection: Connection, payment: Mapping[str, Any]) -> Offer:
    try:
        return Offer(refund.check(connection, payment, None))
    except Refusal as refusal:
        return Offer(refused=refusal)


def _cancel(connection: Connection, payment: Mapping[str, Any], held: Held | None) -> Offer:
    if held is None:
        return Offer() if payment["status"] in CLOSABLE else Offer(refused=cancel.NothingToCancel())
    try:
        if held.authorisation["authorised"] == 0 and _waits_for_payer(connection, held):
            return Offer()
        return Offer(cancel.check(held))
    except Refusal as refusal:
        return Offer(refused=refusal)


def _waits_for_payer(connection: Connection, held: Held) -> bool:
    query = select(true()).where(
        OPERATIONS.c.authorisation_id == held.authorisation["id"],
        OPERATIONS.c.kind == "authorise",
        OPERATIONS.c.state == "action",
    )
    return connection.execute(query.limit(1)).first() is not None
