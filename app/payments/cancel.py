"""`cancel()`: give back what is reserved and not captured. Prepare, call, record.

The key of a request is taken once its payment is locked, for only then it is known what stands for it: the operation,
or the payment that is closed without one.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from app.connectors import CONNECTORS
from app.connectors.kinds import Cancel
from app.core.db import atomic, of
from app.core.errors import Conflict
from app.core.idempotency import Once, claim
from app.core.ids import uuid7
from app.core.texts import N_
from app.payments.close import CLOSABLE, close, close_checkout
from app.payments.effect import Effect
from app.payments.perform import Done, operation_key, perform
from app.payments.permit import Permit, always
from app.payments.prepare import submit
from app.payments.queries import OPERATIONS, Held, held_open, held_operation, left_to_capture, locked_payment
from app.payments.record import record


class NothingToCancel(Conflict):
    code = "nothing_to_cancel"
    message = N_("Nothing is left to cancel.")
    advice = N_("Captured money is refunded instead.")


class CannotCancelRest(Conflict):
    code = "cannot_cancel_rest"
    message = N_("This provider cannot cancel the rest after a capture.")
    advice = N_("The rest lapses by itself.")


class CaptureUnderWay(Conflict):
    code = "capture_under_way"
    message = N_("A capture of this payment is under way.")
    advice = N_("Wait for its outcome.")


def cancel(
    *,
    merchant_id: UUID,
    live: bool,
    payment_id: UUID,
    actor: str,
    reason: str = "",
    once: Once | None = None,
    permit: Permit = always,
) -> Done:
    """Cancels all that is not captured. A payment that waits for the payer, was never tried or has failed is closed
    without a call; the operation of the result is then its newest attempt, or empty if there was none.

    Raises NotFound, NothingToCancel, CannotCancelRest, CaptureUnderWay, and what `permit` raises.
    """
    with atomic(of(merchant_id, live)) as connection:
        operation_id = uuid7()
        held = held_open(connection, payment_id)
        if held is None or held.authorisation["authorised"] == 0:
            payment = held.payment if held else locked_payment(connection, payment_id)
            claim(connection, once, merchant_id, live, ("payment", payment_id))
            if held:
                return _end(connection, _waiting(connection, held), reason, actor)
            return _close(connection, payment, reason, actor)
        claim(connection, once, merchant_id, live, ("operation", operation_id))
        amount = check(held)
        hold = permit(connection, held.payment, "cancel", amount, operation_id)
        held = submit(
            connection,
            held,
            "cancel",
            amount,
            operation_id=operation_id,
            final=True,
            reason=reason,
            actor=actor,
            waits=hold is not None,
        )
        if hold:
            hold(connection, held.payment, operation_id)
            return Done(held.payment, held.operation)
    return perform(
        operation=held.operation,
        contract=held.contract,
        verb="cancel",
        ask=ask(held),
        actor=actor,
    )


def check(held: Held) -> int:
    """What would be cancelled, minor units. Raises as cancel() does."""
    left = left_to_capture(held.authorisation)
    if left == 0:
        raise NothingToCancel()
    if held.authorisation["capture_pending"]:
        raise CaptureUnderWay()
    if held.authorisation["captured"] and not CONNECTORS[held.contract["provider"]].CAN.cancel_rest:
        raise CannotCancelRest()
    return left


def ask(held: Held) -> Cancel:
    operation = held.operation
    return Cancel(
        operation_key=operation_key(operation["id"]),
        provider_reference=held.authorisation["provider_reference"] or "",
        amount=operation["amount"],
        currency=operation["currency"],
        reason=operation["reason"],
    )


def _waiting(connection: Connection, held: Held) -> Held:
    """The authorise operation that waits for the payer. Raises NothingToCancel when it is with the provider."""
    operation_id = connection.execute(
        OPERATIONS.select()
        .with_only_columns(OPERATIONS.c.id)
        .where(
            OPERATIONS.c.authorisation_id == held.authorisation["id"],
            OPERATIONS.c.kind == "authorise",
            OPERATIONS.c.state == "action",
        )
    ).scalar()
    if operation_id is None:
        raise NothingToCancel()
    return held_operation(connection, operation_id)


def _close(connection: Connection, payment: Mapping[str, Any], reason: str, actor: str) -> Done:
    """One that was never tried, or has failed. Raises NothingToCancel."""
    if payment["status"] not in CLOSABLE:
        raise NothingToCancel()
    newest = (
        OPERATIONS.select()
        .where(OPERATIONS.c.payment_id == payment["id"], OPERATIONS.c.kind == "authorise")
        .order_by(OPERATIONS.c.id.desc())
        .limit(1)
    )
    operation = connection.execute(newest).mappings().first()
    return Done(close(connection, payment, "cancelled", actor=actor, reason=reason), dict(operation or {}))


def _end(connection: Connection, held: Held, reason: str, actor: str) -> Done:
    """An attempt that waits for the payer."""
    effect = Effect("declined", stage="cancelled", is_open=False)
    payment = record(connection, held, effect, actor=actor, values={"code": "cancelled", "message": reason or None})
    close_checkout(connection, payment, "cancelled", actor=actor)
    return Done(payment, {**held.operation, "state": "declined", "code": "cancelled"})
