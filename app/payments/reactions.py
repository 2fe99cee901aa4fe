"""What follows in the same transaction: checkout and receivable when an operation ends, notes when a customer goes."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from app.core.ids import public_id
from app.core.reactions import together
from app.core.states import move
from app.payments.checkout import CHECKOUTS
from app.payments.note import erase_of_customer
from app.payments.queries import PAYMENTS
from app.payments.states import CHECKOUT
from app.receivables import collect


def _of_checkout(event: Mapping[str, Any]) -> bool:
    return event["about"].get("source", "checkout") == "checkout"


def _of_receivable(event: Mapping[str, Any]) -> bool:
    return event["about"].get("receivable_id", True) is not None


@together("authorisation.succeeded", when=_of_checkout)
def complete_checkout(connection: Connection, event: Mapping[str, Any]) -> None:
    """A paid checkout is completed, unless the yes came too late and is being given back."""
    payment = _payment(connection, event)
    row = connection.execute(select(CHECKOUTS).where(CHECKOUTS.c.payment_id == payment["id"])).mappings().first()
    if row is not None and row["state"] == "open" and payment["cancel_pending"] == 0:
        data = {"checkout": public_id("chk", row["id"]), "payment": event["data"]["payment"]}
        move(
            connection,
            CHECKOUT,
            CHECKOUTS,
            dict(row),
            "completed",
            data=data,
            payment_step=event["payment_step"],
            actor=event["actor"],
        )


@together("authorisation.action_required", when=_of_receivable)
def let_receivable_lapse(connection: Connection, event: Mapping[str, Any]) -> None:
    payment = _payment(connection, event)
    if payment["receivable_id"] is not None:
        collect.waits(connection, payment["receivable_id"], payment["id"])


@together("authorisation.pending", "authorisation.outcome_unknown", when=_of_receivable)
def keep_receivable(connection: Connection, event: Mapping[str, Any]) -> None:
    payment = _payment(connection, event)
    if payment["receivable_id"] is not None:
        collect.submitted(connection, payment["receivable_id"], payment["id"])


@together(
    *("authorisation.declined", "authorisation.failed", "cancellation.succeeded"),
    *("capture.declined", "capture.failed"),
    when=_of_receivable,
)
def free_receivable(connection: Connection, event: Mapping[str, Any]) -> None:
    payment = _payment(connection, event)
    if payment["receivable_id"] is not None and not _can_bring_more(payment):
        collect.release(connection, payment["receivable_id"], payment["id"])


@together("capture.succeeded", "capture.revoked", when=_of_receivable)
def settle_receivable(connection: Connection, event: Mapping[str, Any]) -> None:
    """What is due follows from what all payments of the debt have brought in, so repeating this changes nothing."""
    payment = _payment(connection, event)
    receivable_id = payment["receivable_id"]
    if receivable_id is None:
        return
    collect.locked(connection, receivable_id)  # before the sum: another payment of it may be settling too
    brought = select(func.sum(PAYMENTS.c.captured)).where(PAYMENTS.c.receivable_id == receivable_id)
    due = collect.received(connection, receivable_id, payment["id"], connection.execute(brought).scalar_one())
    if due and not _can_bring_more(payment):
        collect.release(connection, receivable_id, payment["id"])
    elif due and event["name"] == "capture.revoked":
        collect.collect_again(connection, receivable_id, payment["id"])


def _can_bring_more(payment: Mapping[str, Any]) -> bool:
    """Is an attempt under way, or something reserved or being taken?"""
    if payment["stage"] in ("requires_action", "pending"):
        return True
    return payment["authorised"] - payment["captured"] - payment["cancelled"] + payment["over_captured"] > 0


@together("customer.erased")
def erase_notes(connection: Connection, event: Mapping[str, Any]) -> None:
    erase_of_customer(connection, event["subject_id"])


def _payment(connection: Connection, event: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(connection.execute(select(PAYMENTS).where(PAYMENTS.c.id == event["payment_id"])).mappings().one())
