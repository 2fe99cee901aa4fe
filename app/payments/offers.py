"""What can be done with each of many payments, in a few queries however many they are: for previews of batches."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, select

from app.core.errors import Refusal
from app.payments import cancel, capture
from app.payments.possible import Offer
from app.payments.queries import OPERATIONS, PAYMENTS, Held, open_of_many

Verb = Literal["capture", "cancel"]


def offers(connection: Connection, verb: Verb, payments: Sequence[UUID]) -> Mapping[UUID, Offer]:
    """By payment: how much, or why not. The verbs' own checks, without a lock. What was never tried leaves no operation
    when it is closed, so it is not for batches."""
    held = open_of_many(connection, payments)
    if verb == "capture":
        return {payment: _offer(verb, held.get(payment), frozenset()) for payment in payments}
    waiting = _wait_for_payer(connection, list(held.values()))
    failed = _failed(connection, [payment for payment in payments if payment not in held])
    return {payment: Offer() if payment in failed else _offer(verb, held.get(payment), waiting) for payment in payments}


def _offer(verb: Verb, held: Held | None, waiting: frozenset[UUID]) -> Offer:
    try:
        if verb == "capture":
            return Offer(capture.check(_there(held, capture.NothingToCapture()), None, False)[0])
        held = _there(held, cancel.NothingToCancel())
        return Offer() if held.authorisation["id"] in waiting else Offer(cancel.check(held))
    except Refusal as refusal:
        return Offer(refused=refusal)


def _there(held: Held | None, otherwise: Refusal) -> Held:
    if held is None:
        raise otherwise
    return held


def _failed(connection: Connection, payments: Sequence[UUID]) -> frozenset[UUID]:
    """Those that are closed without a call."""
    if not payments:
        return frozenset()
    query = select(PAYMENTS.c.id).where(PAYMENTS.c.id.in_(payments), PAYMENTS.c.status == "failed")
    return frozenset[Any](connection.execute(query).scalars())


def _wait_for_payer(connection: Connection, held: Sequence[Held]) -> frozenset[UUID]:
    """Authorisations without an amount yet, which are closed rather than cancelled."""
    unpaid = [one.authorisation["id"] for one in held if one.authorisation["authorised"] == 0]
    if not unpaid:
        return frozenset()
    query = select(OPERATIONS.c.authorisation_id).where(
        OPERATIONS.c.authorisation_id.in_(unpaid), OPERATIONS.c.kind == "authorise", OPERATIONS.c.state == "action"
    )
    return frozenset[Any](connection.execute(query).scalars())
