"""A yes that arrives when nobody waits for it any more is given back by itself.

An authorisation that succeeds after its attempt was closed (the payer went on with another card, the payment was
cancelled or has expired, another payment collects the debt) would be money reserved for nothing, or reserved twice. It
is booked as the fact it is, and its cancellation is written beside it, to be sent at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from app.core.clock import now
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.payments.effect import Effect, held_by_provider
from app.payments.queries import AUTHORISATIONS, OPERATIONS, PAYMENTS, Held
from app.payments.record import record
from app.receivables import collect

REASON = "late approval"
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


def is_late(connection: Connection, held: Held) -> bool:
    """Was its attempt closed, its payment, or its debt taken over by another payment?"""
    payment = held.payment
    if not held.authorisation["is_open"] or payment["stage"] in ("cancelled", "expired"):
        return True
    debt = payment["receivable_id"]
    return debt is not None and not collect.still_collects(connection, debt, payment["id"])


def reverse(
    connection: Connection, held: Held, effect: Effect, values: Mapping[str, Any], actor: str
) -> Mapping[str, Any]:
    """Records the late yes together with a cancellation of all that was not taken of it. Returns the payment's row."""
    amount = held_by_provider({**held.authorisation, "authorised": effect.deltas["authorised"]})
    stage = "failed" if held.authorisation["is_open"] else None  # else it stands where what came after it stands
    reserving = replace(effect, deltas={**effect.deltas, "cancel_pending": amount}, stage=stage, is_open=False)
    payment = record(connection, held, reserving, actor=actor, values=values)
    if not amount:
        return payment
    operation_id = _write(connection, held, amount, now())
    step = _payment_step(connection, payment["id"])
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


def is_given_back_later(operation: Mapping[str, Any], to: str) -> bool:
    """Was this the cancellation of a late yes, and provably not sent? Then it is tried again."""
    return operation["kind"] == "cancel" and operation["reason"] == REASON and to == "failed"


def give_back_later(connection: Connection, held: Held, actor: str) -> None:
    """Reserves and writes the cancellation once more, to be sent after a pause that grows with every failure."""
    authorisation_id = held.authorisation["id"]
    amount = min(held.operation["amount"], held_by_provider(held.authorisation))
    if not amount:
        return  # captured meanwhile, by somebody at the provider
    failures = connection.execute(
        select(func.count()).where(
            OPERATIONS.c.authorisation_id == authorisation_id,
            OPERATIONS.c.kind == "cancel",
            OPERATIONS.c.state == "failed",
        )
    ).scalar_one()
    pause = min(_FIRST_PAUSE * 2 ** min(failures - 1, 10), _LONGEST_PAUSE)
    for table, id_ in ((AUTHORISATIONS, authorisation_id), (PAYMENTS, held.payment["id"])):
        more = {"cancel_pending": table.c.cancel_pending + amount}
        connection.execute(update(table).where(table.c.id == id_).values(more))
    operation_id = _write(connection, held, amount, now() + pause)
    tell(
        "cancellation.planned",
        subject=("operation", operation_id),
        step=0,
        merchant_id=held.payment["merchant_id"],
        live=held.payment["live"],
        audience="internal",
        payment_id=held.payment["id"],
        payment_step=_payment_step(connection, held.payment["id"]),
        data={"operation": public_id("op", operation_id), "amount": amount, "currency": held.payment["currency"]},
        actor=actor,
    )


def _write(connection: Connection, held: Held, amount: int, send_at: datetime) -> UUID:
    """The cancellation, CREATED: the resolver sends it. Its amount is reserved by the caller."""
    operation_id = uuid7()
    connection.execute(
        insert(OPERATIONS).values(
            id=operation_id,
            group_id=operation_id,
            merchant_id=held.payment["merchant_id"],
            live=held.payment["live"],
            payment_id=held.payment["id"],
            authorisation_id=held.authorisation["id"],
            contract_id=held.authorisation["contract_id"],
            kind="cancel",
            state="created",
            amount=amount,
            currency=held.payment["currency"],
            final=True,
            reason=REASON,
            actor="job:late",
            enquire_at=send_at,
            created_at=now(),
            updated_at=now(),
        )
    )
    return operation_id


def _payment_step(connection: Connection, payment_id: UUID) -> int:
    return connection.execute(
        update(PAYMENTS).where(PAYMENTS.c.id == payment_id).values(step=PAYMENTS.c.step + 1).returning(PAYMENTS.c.step)
    ).scalar_one()
