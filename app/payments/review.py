"""`release()`: a payment that a risk check held may go on. Refusing it is a cancellation."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection, update

from app.core.clock import business_today
from app.core.db import atomic, of
from app.core.errors import Conflict
from app.core.events import tell
from app.core.idempotency import Once, claim
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.payments.capture import capture, check
from app.payments.perform import Done
from app.payments.permit import Permit, always
from app.payments.prepare import submit
from app.payments.queries import AUTHORISATIONS, Held, held_open, locked_payment


class NotHeld(Conflict):
    code = "not_held"
    message = N_("This payment does not wait for a risk review.")
    advice = N_("Somebody else may have released or cancelled it.")


def release(
    *,
    merchant_id: UUID,
    live: bool,
    payment_id: UUID,
    actor: str,
    reason: str = "",
    once: Once | None = None,
    permit: Permit = always,
) -> Done | None:
    """Takes the hold away; captures at once if the payment asks for it (then returns what that did).

    `permit` is asked about that capture. If it has to wait for somebody else's approval, the payment stays held until
    then, and for good after a no: releasing it would capture it. Raises NotFound, NotHeld, Repeated, KeyReused, and
    what capture() and `permit` raise.
    """
    with atomic(of(merchant_id, live)) as connection:
        claim(connection, once, merchant_id, live, ("payment", payment_id))
        held = held_open(connection, payment_id)
        if held is None:
            locked_payment(connection, payment_id)
            raise NotHeld()
        if not held.authorisation["held_for_review"]:
            raise NotHeld()
        operation_id, captures = uuid7(), captures_itself(held)
        if captures:
            released = replace(held, authorisation={**held.authorisation, "held_for_review": False})
            amount, _last = check(released, None, True)
            hold = permit(connection, held.payment, "capture", amount, operation_id)
            if hold:
                terms = {"operation_id": operation_id, "final": True, "reason": reason, "actor": actor, "waits": True}
                held = submit(connection, held, "capture", amount, **terms)
                hold(connection, held.payment, operation_id)
                return Done(held.payment, held.operation)
        lift(connection, held, reason=reason, actor=actor)
    if not captures:
        return None
    whose = {"merchant_id": merchant_id, "live": live, "payment_id": payment_id}
    return capture(**whose, actor=actor, final=True, operation_id=operation_id)


def captures_itself(held: Held) -> bool:
    """Whether it is captured as soon as nothing holds it: an automatic one, or one whose date has come."""
    payment = held.payment
    if payment["capture_mode"] != "scheduled":
        return payment["capture_mode"] == "automatic"
    return payment["capture_on"] <= business_today(held.clock_offset_seconds, held.timezone)


def lift(connection: Connection, held: Held, *, reason: str, actor: str) -> None:
    """The hold is gone, and told to be. What may be captured of it is the caller's business."""
    payment, authorisation_id = held.payment, held.authorisation["id"]
    values = {"held_for_review": False}
    connection.execute(update(AUTHORISATIONS).where(AUTHORISATIONS.c.id == authorisation_id).values(values))
    tell(
        "payment.released",
        subject=("payment", payment["id"]),
        merchant_id=payment["merchant_id"],
        live=payment["live"],
        payment_id=payment["id"],
        audience="staff",
        data={"payment": {"id": public_id("pay", payment["id"])}, "reason": reason or None},
        actor=actor,
    )
