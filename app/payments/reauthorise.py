"""`reauthorise()`: renews a fading authorisation without the payer, where the provider can (PayPal).

An authorisation is guaranteed for its honour period only. When a capture comes later, the rest is first
authorised anew: the new authorisation takes the old one's place, whose rest is booked as cancelled. If
the provider says no, the old one stays, and the capture is tried on it; while it says nothing, nothing is captured.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from app.connectors import CONNECTORS
from app.connectors.kinds import Authorise
from app.core.clock import business_now, now
from app.core.db import atomic, of
from app.core.errors import Conflict
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.payments.perform import operation_key, perform
from app.payments.prepare import LEASE
from app.payments.queries import AUTHORISATIONS, OPERATIONS, PAYMENTS, Held, held_authorisation, left_to_capture
from app.payments.states import OPEN


class RenewalUnderWay(Conflict):
    code = "renewal_under_way"
    message = N_("The renewal of this authorisation has no answer yet.")
    advice = N_("Capture once its outcome is known. The provider is asked by itself.")


def is_due(held: Held) -> bool:
    """Is the honour period over, and can this provider renew?"""
    authorisation = held.authorisation
    return (
        may_be_renewed(held)
        and left_to_capture(authorisation) > 0
        and authorisation["capture_pending"] + authorisation["cancel_pending"] == 0
    )


def may_be_renewed(held: Held) -> bool:
    """Only once, where the provider can, and when it is not guaranteed any more."""
    until = held.authorisation["honour_until"]
    return (
        until is not None
        and until <= business_now(held.clock_offset_seconds)
        and CONNECTORS[held.contract["provider"]].CAN.reauthorise
        and held.authorisation["replaces_id"] is None
    )


def refuse_unanswered(connection: Connection, held: Held) -> None:
    """Raises RenewalUnderWay: what was captured now could be there to be captured once more when the yes comes."""
    if may_be_renewed(held) and _renewal(connection, held.authorisation["id"], OPERATIONS.c.state.in_(OPEN)):
        raise RenewalUnderWay()


def reauthorise(*, merchant_id: UUID, live: bool, authorisation_id: UUID, actor: str) -> None:
    """Renews what is left of an authorisation, if that is still due. Prepare, call, record."""
    with atomic(of(merchant_id, live)) as connection:
        held = held_authorisation(connection, authorisation_id)
        # A no stands, and a renewal of which nobody knows yet may have happened: neither is asked for twice.
        asked_before = _renewal(connection, authorisation_id, OPERATIONS.c.state != "failed")
        if not held.authorisation["is_open"] or not is_due(held) or asked_before:
            return
        operation = _successor(connection, held, actor, now() + LEASE)
    perform(
        operation=operation,
        contract=held.contract,
        verb="authorise",
        ask=ask(replace(held, operation=operation), held.authorisation["provider_reference"]),
        actor=actor,
    )


def ask(held: Held, reference: str | None) -> Authorise:
    """`held`: with the renewal's operation. `reference`: of the authorisation that is renewed."""
    return Authorise(
        operation_key=operation_key(held.operation["id"]),
        method=held.authorisation["method"],
        amount=held.operation["amount"],
        currency=held.operation["currency"],
        merchant_reference=held.payment["merchant_reference"],
        initiator="merchant",
        reauthorise=reference,
    )


def _renewal(connection: Connection, authorisation_id: UUID, condition: ColumnElement[bool]) -> bool:
    """Is there a renewal of this authorisation such that ...?"""
    earlier = (
        select(OPERATIONS.c.id)
        .join(AUTHORISATIONS, AUTHORISATIONS.c.id == OPERATIONS.c.authorisation_id)
        .where(AUTHORISATIONS.c.replaces_id == authorisation_id, OPERATIONS.c.kind == "authorise", condition)
    )
    return connection.execute(earlier.limit(1)).first() is not None


def _successor(connection: Connection, held: Held, actor: str, leased_until: Any) -> dict[str, Any]:
    """The new authorisation, not open yet, and its SUBMITTED operation."""
    old, at = held.authorisation, now()
    last = select(func.max(AUTHORISATIONS.c.attempt)).where(AUTHORISATIONS.c.payment_id == old["payment_id"])
    attempt = connection.execute(last).scalar_one() + 1
    tenant = {"merchant_id": old["merchant_id"], "live": old["live"], "payment_id": old["payment_id"]}
    common = {"contract_id": old["contract_id"], "amount": left_to_capture(old), "currency": old["currency"]}
    new_id, operation_id = uuid7(), uuid7()
    kept = ("provider", "method", "instrument_id", "brand", "last4", "funding", "issuer_country")
    connection.execute(
        insert(AUTHORISATIONS).values(
            **tenant,
            **common,
            **{name: old[name] for name in kept},
            id=new_id,
            attempt=attempt,
            is_open=False,
            replaces_id=old["id"],
            created_at=at,
        )
    )
    operation = {
        **tenant,
        **common,
        "id": operation_id,
        "group_id": operation_id,
        "authorisation_id": new_id,
        "kind": "authorise",
        "state": "submitted",
        "step": 1,
        "reason": "honour period over",
        "actor": actor,
        "leased_until": leased_until,
        "enquire_at": leased_until,
        "created_at": at,
        "updated_at": at,
    }
    connection.execute(insert(OPERATIONS).values(operation))
    _told(connection, held, operation, attempt)
    return operation


def _told(connection: Connection, held: Held, operation: dict[str, Any], attempt: int) -> None:
    step = connection.execute(
        update(PAYMENTS)
        .where(PAYMENTS.c.id == operation["payment_id"])
        .values(step=PAYMENTS.c.step + 1)
        .returning(PAYMENTS.c.step)
    ).scalar_one()
    tell(
        "authorisation.submitted",
        subject=("operation", operation["id"]),
        step=1,
        merchant_id=operation["merchant_id"],
        live=operation["live"],
        audience="internal",
        payment_id=operation["payment_id"],
        payment_step=step,
        data={
            "operation": public_id("op", operation["id"]),
            "provider": held.contract["provider"],
            "attempt": attempt,
        },
        actor=operation["actor"],
    )
