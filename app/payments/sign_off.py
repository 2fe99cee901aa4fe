"""What waits for an approval: sent after a yes, withdrawn after anything else. See permit.py."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.core.clock import now
from app.core.db import table_of
from app.core.ids import public_id
from app.payments import cancel, capture, refund
from app.payments.effect import Effect, of_answer
from app.payments.models import Dispute
from app.payments.perform import Done, perform
from app.payments.prepare import LEASE
from app.payments.queries import (
    AUTHORISATIONS,
    OPERATIONS,
    Held,
    held_authorisation,
    held_operation,
    locked_payment,
)
from app.payments.record import record
from app.payments.review import lift
from app.payments.states import DISPUTE_OPEN

DISPUTES = table_of(Dispute)


def facts(connection: Connection, payment_id: UUID) -> dict[str, Any]:
    """What matters to whoever decides about a command, under lock: while it is the same, nothing has changed.

    Raises NotFound.
    """
    payment = locked_payment(connection, payment_id)
    names = (
        *("amount", "method", "status", "authorised", "captured", "capture_pending", "cancelled", "cancel_pending"),
        *("refunded", "refund_pending", "charged_back"),
    )
    found = select(DISPUTES.c.id).where(DISPUTES.c.payment_id == payment_id, DISPUTES.c.state.in_(DISPUTE_OPEN))
    held = select(AUTHORISATIONS.c.held_for_review).where(
        AUTHORISATIONS.c.payment_id == payment_id, AUTHORISATIONS.c.is_open
    )
    return {
        **{name: payment[name] for name in names},
        "disputes": [public_id("dsp", one) for one in connection.execute(found.order_by(DISPUTES.c.id)).scalars()],
        "held_for_review": connection.execute(held).scalar(),
    }


def check(connection: Connection, payment_id: UUID, group_id: UUID) -> None:
    """The command's own check once more, as if it were asked for now: what it has reserved itself is free for it.

    Raises what the verbs raise. A capture of a held payment is its release (review.py): that is no hindrance.
    """
    payment = locked_payment(connection, payment_id)
    operations = [held.operation for held in _waiting(connection, group_id)]
    if not operations:
        return
    first, asked = operations[0], sum(operation["amount"] for operation in operations)
    pending = f"{first['kind']}_pending"
    if first["kind"] == "refund":
        refund.check(connection, {**payment, pending: payment[pending] - asked}, asked, own=group_id)
        return
    held = held_authorisation(connection, first["authorisation_id"])
    if not held.authorisation["is_open"]:
        raise capture.NothingToCapture() if first["kind"] == "capture" else cancel.NothingToCancel()
    free = {pending: held.authorisation[pending] - asked, "held_for_review": False}
    held = replace(held, authorisation={**held.authorisation, **free})
    if first["kind"] == "capture":
        capture.check(held, asked, first["final"])
    else:
        cancel.check(held)


def submit_waiting(connection: Connection, group_id: UUID, *, actor: str) -> list[Held]:
    """Moves the operations of a command to SUBMITTED, leased, to be sent by `send()` after the commit."""
    leased = {"leased_until": now() + LEASE, "enquire_at": now() + LEASE}
    moved = []
    for held in _waiting(connection, group_id):
        record(connection, held, Effect("submitted"), actor=actor, values=leased)
        if held.operation["kind"] == "capture" and held.authorisation["held_for_review"]:
            lift(connection, held, reason=held.operation["reason"], actor=actor)
        moved.append(replace(held, operation={**held.operation, "state": "submitted", **leased}))
    return moved


def send(helds: Sequence[Held], references: Mapping[UUID, str | None], *, actor: str) -> Done:
    """Calls the provider for each; the operation of the result stands for all, see refund.whole().

    `references`: of the captures that are refunded, see capture_references().
    """
    done = [
        perform(
            operation=held.operation,
            contract=held.contract,
            verb=held.operation["kind"],
            ask=_ask(held, references),
            actor=actor,
        )
        for held in helds
    ]
    return Done(done[-1].payment, refund.whole([one.operation for one in done]))


def capture_references(connection: Connection, helds: Sequence[Held]) -> dict[UUID, str | None]:
    wanted = [held.operation["capture_id"] for held in helds if held.operation["capture_id"]]
    query = select(OPERATIONS.c.id, OPERATIONS.c.provider_reference).where(OPERATIONS.c.id.in_(wanted))
    return {row.id: row.provider_reference for row in connection.execute(query)}


def withdraw(connection: Connection, group_id: UUID, *, code: str, actor: str) -> None:
    """Nothing was sent and nothing will be: what was reserved is free again. `code`: why (approval_rejected, ...)."""
    for held in _waiting(connection, group_id):
        operation = held.operation
        effect = of_answer(operation["kind"], operation["state"], operation["amount"], held.authorisation, None)
        record(connection, held, effect, actor=actor, values={"code": code})


def _waiting(connection: Connection, group_id: UUID) -> Iterator[Held]:
    """Read one by one, for each changes the sums that the next one stands on."""
    query = select(OPERATIONS.c.id).where(OPERATIONS.c.group_id == group_id, OPERATIONS.c.state == "pending_approval")
    for operation_id in connection.execute(query.order_by(OPERATIONS.c.id)).scalars().all():
        yield held_operation(connection, operation_id)


def _ask(held: Held, references: Mapping[UUID, str | None]) -> Any:
    operation = held.operation
    if operation["kind"] == "refund":
        return refund.ask(held, references.get(operation["capture_id"]))
    return capture.ask(held) if operation["kind"] == "capture" else cancel.ask(held)
