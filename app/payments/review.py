"""`release()`: a payment that a risk check held may go on. Refusing it is a cancellation."""

from uuid import UUID

from sqlalchemy import update

from app.core.db import atomic, of
from app.core.errors import Conflict
from app.core.events import tell
from app.core.idempotency import Once, claim
from app.core.ids import public_id
from app.core.texts import N_
from app.payments.capture import capture
from app.payments.perform import Done
from app.payments.queries import AUTHORISATIONS, held_open, locked_payment


class NotHeld(Conflict):
    code = "not_held"
    message = N_("This payment does not wait for a risk review.")
    advice = N_("Somebody else may have released or cancelled it.")


def release(
    *, merchant_id: UUID, live: bool, payment_id: UUID, actor: str, reason: str = "", once: Once | None = None
) -> Done | None:
    """Takes the hold away; captures at once if the payment asks for it (then returns what that did).

    Raises NotFound, NotHeld, Repeated, KeyReused, and what capture() raises.
    """
    with atomic(of(merchant_id, live)) as connection:
        claim(connection, once, merchant_id, live, ("payment", payment_id))
        held = held_open(connection, payment_id)
        if held is None:
            locked_payment(connection, payment_id)
            raise NotHeld()
        if not held.authorisation["held_for_review"]:
            raise NotHeld()
        connection.execute(
            update(AUTHORISATIONS).where(AUTHORISATIONS.c.id == held.authorisation["id"]).values(held_for_review=False)
        )
        tell(
            "payment.released",
            subject=("payment", payment_id),
            merchant_id=merchant_id,
            live=live,
            payment_id=payment_id,
            audience="staff",
            data={"payment": {"id": public_id("pay", payment_id)}, "reason": reason or None},
            actor=actor,
        )
    if held.payment["capture_mode"] != "automatic":
        return None
    return capture(merchant_id=merchant_id, live=live, payment_id=payment_id, actor=actor, final=True)
