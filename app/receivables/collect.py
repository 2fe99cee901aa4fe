"""One collector per receivable: who may take the money just now, so that a debt is never collected twice.

Several payments may point at one receivable. Whoever asks a provider for its money is its one collector: SUBMITTED
while a provider has it in hand (left only by an answer), OPEN while the payer has to do something (lapses by time).
Callers lock their payment first and the receivable after it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from app.core.clock import now
from app.core.db import table_of
from app.core.errors import Conflict, NotFound
from app.core.ids import uuid7
from app.core.texts import N_
from app.receivables.models import Collector, Receivable

OPEN_FOR = timedelta(minutes=30)
RECEIVABLES = table_of(Receivable)
COLLECTORS = table_of(Collector)
_ACTIVE = COLLECTORS.c.state.in_(("open", "submitted"))


class BeingCollected(Conflict):
    code = "being_collected"
    message = N_("This is being paid in another way just now.")
    advice = N_("Finish that payment, or wait until it has ended.")


class NothingDue(Conflict):
    code = "nothing_due"
    message = N_("This is already paid.")
    advice = N_("There is nothing to pay.")


class LessDue(Conflict):
    """Charging more than is due, or more than the payer was shown, is both wrong."""

    code = "less_due"
    message = N_("Only %(due)s minor units of this are still due.")
    advice = N_("Ask for no more than that.")


def owe(connection: Connection, *, merchant_id: UUID, live: bool, reference: str, amount: int, currency: str) -> UUID:
    """A new debt of `amount` minor units. Returns its id."""
    receivable_id = uuid7()
    connection.execute(
        insert(RECEIVABLES).values(
            id=receivable_id,
            merchant_id=merchant_id,
            live=live,
            reference=reference,
            amount=amount,
            due=amount,
            currency=currency,
            created_at=now(),
        )
    )
    return receivable_id


def locked(connection: Connection, receivable_id: UUID) -> Mapping[str, Any]:
    """The receivable's row under lock. Raises NotFound."""
    query = select(RECEIVABLES).where(RECEIVABLES.c.id == receivable_id).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(param="receivable")
    return dict(row)


def take(connection: Connection, receivable_id: UUID, payment_id: UUID, amount: int) -> None:
    """Makes `payment_id` the one that collects `amount`, SUBMITTED: from now on only an answer frees the receivable.

    Raises NothingDue, LessDue, BeingCollected (an OPEN collector lapses by time, a SUBMITTED one does not).
    """
    debt = locked(connection, receivable_id)
    if debt["due"] == 0:
        raise NothingDue()
    if debt["due"] < amount:
        raise LessDue(param="amount", due=debt["due"])
    holder = _holder(connection, receivable_id)
    if holder is not None and holder["payment_id"] == payment_id:
        submitted(connection, receivable_id, payment_id)
        return
    if holder is not None:
        if not _lapsed(holder["lapses_at"]):
            raise BeingCollected()
        release(connection, receivable_id, holder["payment_id"])
    connection.execute(
        insert(COLLECTORS).values(
            id=uuid7(),
            merchant_id=debt["merchant_id"],
            live=debt["live"],
            receivable_id=receivable_id,
            payment_id=payment_id,
            state="submitted",
            created_at=now(),
        )
    )


def submitted(connection: Connection, receivable_id: UUID, payment_id: UUID) -> bool:
    """A provider has it in hand, if this payment still collects. Returns whether it does."""
    return _to(connection, receivable_id, payment_id, "submitted")


def waits(connection: Connection, receivable_id: UUID, payment_id: UUID) -> None:
    """The payer has to do something; if they do not, somebody else may collect after a while."""
    _to(connection, receivable_id, payment_id, "open", now() + OPEN_FOR)


def still_collects(connection: Connection, receivable_id: UUID, payment_id: UUID) -> bool:
    """The payer has said yes: does this payment still collect? Not if another one took the debt, or was paid."""
    debt = locked(connection, receivable_id)
    if submitted(connection, receivable_id, payment_id):
        return True
    taken = _ACTIVE if debt["due"] else COLLECTORS.c.state.in_(("open", "submitted", "done"))
    others = COLLECTORS.c.payment_id != payment_id
    query = select(COLLECTORS.c.id).where(COLLECTORS.c.receivable_id == receivable_id, others, taken).limit(1)
    return connection.execute(query).first() is None


def release(connection: Connection, receivable_id: UUID, payment_id: UUID) -> None:
    """The collector got a no, or all it will get; somebody else may try."""
    _to(connection, receivable_id, payment_id, "released")


def received(connection: Connection, receivable_id: UUID, payment_id: UUID, total: int) -> int:
    """What has come in for it is `total` now, after `payment_id` took some or had to give some up again. Returns what
    is due; what is too much becomes credit. The receivable is locked by the caller."""
    debt = RECEIVABLES.c
    values = {"due": func.greatest(debt.amount - total, 0), "credit": func.greatest(total - debt.amount, 0)}
    query = update(RECEIVABLES).where(debt.id == receivable_id).values(values).returning(debt.due)
    due = connection.execute(query).scalar_one()
    if due == 0:
        _to(connection, receivable_id, payment_id, "done")
    return due


def collect_again(connection: Connection, receivable_id: UUID, payment_id: UUID) -> None:
    """What had come in was taken back, and this payment can still try: it goes on, unless another one has begun to."""
    if _holder(connection, receivable_id) is not None:
        return
    mine = (COLLECTORS.c.receivable_id == receivable_id, COLLECTORS.c.payment_id == payment_id)
    newest = select(COLLECTORS.c.id).where(*mine).order_by(COLLECTORS.c.id.desc()).limit(1).scalar_subquery()
    connection.execute(update(COLLECTORS).where(COLLECTORS.c.id == newest).values(state="submitted", lapses_at=None))


def _holder(connection: Connection, receivable_id: UUID) -> RowMapping | None:
    return (
        connection.execute(select(COLLECTORS).where(COLLECTORS.c.receivable_id == receivable_id, _ACTIVE))
        .mappings()
        .first()
    )


def _to(
    connection: Connection, receivable_id: UUID, payment_id: UUID, state: str, lapses_at: datetime | None = None
) -> bool:
    mine = (COLLECTORS.c.receivable_id == receivable_id, COLLECTORS.c.payment_id == payment_id, _ACTIVE)
    query = update(COLLECTORS).where(*mine).values(state=state, lapses_at=lapses_at)
    return connection.execute(query).rowcount > 0


def _lapsed(lapses_at: datetime | None) -> bool:
    return lapses_at is not None and lapses_at <= now()
