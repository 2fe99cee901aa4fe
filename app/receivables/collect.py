"""One collector per receivable: who may take the money just now, so that a debt is never collected twice."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from app.core.clock import now
from app.core.db import savepoint
from app.core.errors import Conflict
from app.core.ids import uuid7
from app.core.texts import N_
from app.receivables.models import Collector, Receivable

OPEN_FOR = timedelta(minutes=30)


class BeingCollected(Conflict):
    code = "being_collected"
    message = N_("This is being paid in another way just now.")
    advice = N_("Finish that payment, or wait until it has ended.")


class NothingDue(Conflict):
    code = "nothing_due"
    message = N_("Nothing is open any more.")
    advice = N_("There is nothing to pay.")


def owe(connection: Connection, *, merchant_id: UUID, live: bool, reference: str, amount: int, currency: str) -> UUID:
    """A new debt of `amount` minor units. Returns its id."""
    receivable_id = uuid7()
    connection.execute(
        insert(Receivable).values(
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


def take(connection: Connection, receivable_id: UUID, payment_id: UUID) -> int:
    """Makes `payment_id` the one that collects, and returns what is due, read under the lock.

    An OPEN collector of another payment lapses by time; a SUBMITTED one only by its answer. Raises
    BeingCollected, NothingDue.
    """
    row = connection.execute(
        select(Receivable.due, Receivable.merchant_id, Receivable.live)
        .where(Receivable.id == receivable_id)
        .with_for_update()
    ).one()
    if row.due == 0:
        raise NothingDue()
    holder = connection.execute(
        select(Collector.id, Collector.payment_id, Collector.state, Collector.lapses_at).where(
            Collector.receivable_id == receivable_id, Collector.state.in_(("open", "submitted"))
        )
    ).first()
    if holder is not None:
        if holder.payment_id == payment_id:
            return row.due
        if holder.state == "submitted" or not _lapsed(holder.lapses_at):
            raise BeingCollected()
        connection.execute(update(Collector).where(Collector.id == holder.id).values(state="released"))
    with savepoint():
        connection.execute(
            insert(Collector).values(
                id=uuid7(),
                merchant_id=row.merchant_id,
                live=row.live,
                receivable_id=receivable_id,
                payment_id=payment_id,
                state="open",
                lapses_at=now() + OPEN_FOR,
                created_at=now(),
            )
        )
    return row.due


def submitted(connection: Connection, receivable_id: UUID, payment_id: UUID) -> None:
    """The collector has asked for the money: from now on only an answer frees the receivable."""
    _to(connection, receivable_id, payment_id, "submitted")


def release(connection: Connection, receivable_id: UUID, payment_id: UUID) -> None:
    """The collector got a no; somebody else may try."""
    _to(connection, receivable_id, payment_id, "released")


def settle(connection: Connection, receivable_id: UUID, payment_id: UUID, amount: int) -> None:
    """Money came in: what is due falls, what is too much becomes credit."""
    row = connection.execute(select(Receivable.due).where(Receivable.id == receivable_id).with_for_update()).one()
    applied = min(row.due, amount)
    connection.execute(
        update(Receivable)
        .where(Receivable.id == receivable_id)
        .values(due=row.due - applied, credit=Receivable.credit + amount - applied)
    )
    if applied == row.due:
        _to(connection, receivable_id, payment_id, "done")


def _to(connection: Connection, receivable_id: UUID, payment_id: UUID, state: str) -> None:
    connection.execute(
        update(Collector)
        .where(
            Collector.receivable_id == receivable_id,
            Collector.payment_id == payment_id,
            Collector.state.in_(("open", "submitted")),
        )
        .values(state=state, lapses_at=None)
    )


def _lapsed(lapses_at: datetime | None) -> bool:
    return lapses_at is not None and lapses_at <= now()
