"""`capture()`: collect what was authorised, whole or in parts. Prepare, call, record."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy import Connection, text

from app.connectors import CONNECTORS
from app.connectors.kinds import Capture
from app.core.clock import business_now
from app.core.db import atomic, of
from app.core.errors import Conflict, Refusal
from app.core.fast import Statement
from app.core.idempotency import Once, claim
from app.core.ids import uuid7
from app.core.texts import N_
from app.payments.perform import Done, operation_key, perform
from app.payments.permit import Permit, always
from app.payments.prepare import submit
from app.payments.queries import Held, held_open, left_to_capture, locked_payment
from app.payments.reauthorise import is_due, reauthorise, refuse_unanswered


class NothingToCapture(Conflict):
    code = "nothing_to_capture"
    message = N_("Nothing is left to capture.")
    advice = N_("Only an authorised payment that was not captured in full or cancelled can be captured.")


class CaptureTooHigh(Refusal):
    code = "amount_too_high"
    message = N_("Only %(left)s minor units are left to capture.")
    advice = N_("Capture that much or less.")


class HeldForReview(Conflict):
    code = "held_for_review"
    message = N_("This payment waits for a risk review.")
    advice = N_("Release it in the back office first.")


class AuthorisationExpired(Conflict):
    code = "authorisation_expired"
    message = N_("The authorisation has expired.")
    advice = N_("Ask the payer for a new payment.")


class LastCaptureUnderWay(Conflict):
    code = "last_capture_under_way"
    message = N_("The last capture of this payment is under way.")
    advice = N_("With it the rest is given up. If it is refused, capture again.")


class CapturedOnce(Conflict):
    code = "captures_once"
    message = N_("This provider captures a payment only once.")
    advice = N_("Start a new payment for the rest.")


def capture(
    *,
    merchant_id: UUID,
    live: bool,
    payment_id: UUID,
    actor: str,
    amount: int | None = None,
    final: bool = False,
    reason: str = "",
    lines: Sequence[Mapping[str, Any]] | None = None,
    once: Once | None = None,
    permit: Permit = always,
    operation_id: UUID | None = None,
) -> Done:
    """Captures `amount` minor units (None: all that is left). `final` gives up the rest: it is booked as cancelled.

    At a provider that captures only once, so is what the one capture leaves. `operation_id`: of the operation to be
    written, if it was promised before (review.py). Raises NotFound, NothingToCapture, CaptureTooHigh, HeldForReview,
    AuthorisationExpired, CapturedOnce, RenewalUnderWay, LastCaptureUnderWay, and what `permit` raises.
    """
    wanted = {"amount": amount, "final": final, "reason": reason, "lines": lines, "permit": permit}
    wanted["operation_id"] = operation_id or uuid7()
    try:
        held = _prepare(merchant_id, live, payment_id, actor, once, wanted)
    except _Fading as fading:
        reauthorise(merchant_id=merchant_id, live=live, authorisation_id=fading.authorisation_id, actor=actor)
        held = _prepare(merchant_id, live, payment_id, actor, once, wanted, renewed=True)
    if held.operation["state"] == "pending_approval":
        return Done(held.payment, held.operation)
    return perform(
        operation=held.operation,
        contract=held.contract,
        verb="capture",
        ask=ask(held),
        actor=actor,
    )


class _Fading(Exception):
    """The authorisation's honour period is over; it is renewed before it is captured."""

    def __init__(self, authorisation_id: UUID) -> None:
        self.authorisation_id = authorisation_id


def _prepare(
    merchant_id: UUID,
    live: bool,
    payment_id: UUID,
    actor: str,
    once: Once | None,
    wanted: Mapping[str, Any],
    *,
    renewed: bool = False,
) -> Held:
    with atomic(of(merchant_id, live)) as connection:
        operation_id = wanted["operation_id"]
        claim(connection, once, merchant_id, live, ("operation", operation_id))
        held = held_open(connection, payment_id)
        if held is None:
            _refuse_absent(connection, payment_id)
        asked, last = check(held, wanted["amount"], wanted["final"])
        if not renewed and is_due(held):
            raise _Fading(held.authorisation["id"])
        refuse_unanswered(connection, held)
        refuse_after_last(connection, held)
        rest = left_to_capture(held.authorisation) - asked if wanted["final"] else 0
        hold = wanted["permit"](connection, held.payment, "capture", asked, operation_id, rest)
        held = submit(
            connection,
            held,
            "capture",
            asked,
            operation_id=operation_id,
            final=last,
            reason=wanted["reason"],
            lines=wanted["lines"],
            actor=actor,
            waits=hold is not None,
        )
        if hold:
            hold(connection, held.payment, operation_id)
        return held


def check(held: Held, amount: int | None, final: bool) -> tuple[int, bool]:
    """What is captured, and whether it is the last capture. Raises as capture() does."""
    left = left_to_capture(held.authorisation)
    can = CONNECTORS[held.contract["provider"]].CAN
    if can.captures == "one" and held.authorisation["captured"] + held.authorisation["capture_pending"] > 0:
        raise CapturedOnce()
    if left == 0:
        raise NothingToCapture()
    expires_at = held.authorisation["expires_at"]
    if expires_at is not None and expires_at <= business_now(held.clock_offset_seconds):
        raise AuthorisationExpired()
    if held.authorisation["held_for_review"]:
        raise HeldForReview()
    asked = left if amount is None else amount
    if asked <= 0 or asked > left:
        raise CaptureTooHigh(param="amount", left=left)
    # The last capture lets the rest go. While another one is unclear, all that is left is not all there is.
    all_of_it = asked == left and not held.authorisation["capture_pending"]
    return asked, final or all_of_it or can.captures == "one"


_LAST = Statement(
    text(
        "SELECT 1 FROM operations WHERE authorisation_id = :authorisation AND kind = 'capture' AND final"
        " AND state NOT IN ('succeeded', 'declined', 'failed') LIMIT 1"
    )
)


def refuse_after_last(connection: Connection, held: Held) -> None:
    """Raises LastCaptureUnderWay: once it has succeeded nothing is left, and until then nothing more is taken."""
    authorisation = held.authorisation
    if authorisation["capture_pending"] and _LAST.row(connection, {"authorisation": authorisation["id"]}):
        raise LastCaptureUnderWay()


def ask(held: Held) -> Capture:
    operation = held.operation
    return Capture(
        operation_key=operation_key(operation["id"]),
        provider_reference=held.authorisation["provider_reference"] or "",
        amount=operation["amount"],
        currency=operation["currency"],
        final=operation["final"],
        merchant_reference=held.payment["merchant_reference"],
    )


def _refuse_absent(connection: Connection, payment_id: UUID) -> NoReturn:
    locked_payment(connection, payment_id)  # raises NotFound for a foreign or unknown id
    raise NothingToCapture()
