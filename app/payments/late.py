"""A yes that arrives when nobody waits for it any more is given back by itself.

An authorisation that succeeds after its attempt was closed (the payer went on with another card, the
payment was cancelled or has expired) would be money reserved for nothing, or reserved twice. It is
booked as the fact it is, and its cancellation is written beside it, to be sent at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, insert

from app.core.clock import now
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.payments.effect import Effect
from app.payments.queries import OPERATIONS, PAYMENTS, Held
from app.payments.record import record


def is_late(held: Held) -> bool:
    return not held.authorisation["is_open"] or held.payment["stage"] in ("cancelled", "expired")


def reverse(
    connection: Connection, held: Held, effect: Effect, values: Mapping[str, Any], actor: str
) -> Mapping[str, Any]:
    """Records the late yes together with a cancellation of all of it. Returns the payment's row."""
    amount = effect.deltas["authorised"]
    reserving = replace(effect, deltas={**effect.deltas, "cancel_pending": amount}, stage=None, is_open=False)
    payment = record(connection, held, reserving, actor=actor, values=values)
    operation_id = uuid7()
    connection.execute(
        insert(OPERATIONS).values(
            id=operation_id,
            group_id=operation_id,
            merchant_id=payment["merchant_id"],
            live=payment["live"],
            payment_id=payment["id"],
            authorisation_id=held.authorisation["id"],
            contract_id=held.authorisation["contract_id"],
            kind="cancel",
            state="created",
            amount=amount,
            currency=payment["currency"],
            final=True,
            reason="late approval",
            actor="job:late",
            enquire_at=now(),
            created_at=now(),
            updated_at=now(),
        )
    )
    step = connection.execute(
        PAYMENTS.update()
        .where(PAYMENTS.c.id == payment["id"])
        .values(step=PAYMENTS.c.step + 1)
        .returning(PAYMENTS.c.step)
    ).scalar_one()
    tell(
        "payment.late_approval_reversed",
        subject=("operation", operation_id),
        step=0,
        merchant_id=payment["merchant_id"],
        live=payment["live"],
        payment_id=payment["id"],
        payment_step=step,
        data={
            "payment": {"id": public_id("pay", payment["id"]), "status": payment["status"]},
            "amount": amount,
            "currency": payment["currency"],
        },
        actor=actor,
    )
    return payment
