"""`note()`: what staff write down about a payment for each other. Never changed; gone with the customer."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, text, update

from app.core import vault
from app.core.card_numbers import refuse_card_number
from app.core.clock import now
from app.core.errors import Conflict, NotFound
from app.core.events import tell
from app.core.fast import Statement
from app.core.idempotency import Once, claim
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.payments.note_models import NOTES
from app.payments.queries import PAYMENTS

LONGEST = 2_000
MOST = 200
_CONTEXT = "payment_notes.sealed"


class TooManyNotes(Conflict):
    code = "too_many_notes"
    message = N_("More than %(most)s notes are not kept about a payment.")


def note(connection: Connection, payment_id: UUID, *, said: str, actor: str, once: Once | None = None) -> UUID:
    """Told without its text. Raises CardNumberInText, NotFound, TooManyNotes, Repeated."""
    assert 0 < len(said) <= LONGEST
    refuse_card_number(said, "said")
    query = select(PAYMENTS.c.merchant_id, PAYMENTS.c.live).where(PAYMENTS.c.id == payment_id)
    payment = connection.execute(query).mappings().first()
    if payment is None:
        raise NotFound()
    note_id = uuid7()
    claim(connection, once, payment["merchant_id"], payment["live"], ("note", note_id))
    there = select(func.count()).select_from(NOTES).where(NOTES.c.payment_id == payment_id)
    if connection.execute(there).scalar_one() >= MOST:
        raise TooManyNotes(most=MOST)
    connection.execute(
        insert(NOTES).values(
            id=note_id,
            merchant_id=payment["merchant_id"],
            live=payment["live"],
            payment_id=payment_id,
            sealed=vault.seal(said.encode(), _CONTEXT),
            written_by=actor,
            written_at=now(),
        )
    )
    tell(
        "payment.noted",
        subject=("note", note_id),
        merchant_id=payment["merchant_id"],
        live=payment["live"],
        audience="staff",
        payment_id=payment_id,
        data={"note": public_id("not", note_id), "payment": {"id": public_id("pay", payment_id)}},
        actor=actor,
    )
    return note_id


_OF_PAYMENT = Statement(
    text("SELECT id, sealed, written_by, written_at FROM payment_notes WHERE payment_id = :payment ORDER BY id DESC")
)


def of_payment(connection: Connection, payment_id: UUID) -> Sequence[Mapping[str, Any]]:
    """The newest first: said (None: erased), written_by, written_at."""
    return [
        {
            "id": row[0],
            "said": vault.unseal(bytes(row[1]), _CONTEXT).decode() if row[1] else None,
            "written_by": row[2],
            "written_at": row[3],
        }
        for row in _OF_PAYMENT.rows(connection, {"payment": payment_id})
    ]


def erase_of_customer(connection: Connection, customer_id: UUID) -> None:
    """What was noted about their payments goes; that something was noted stays."""
    theirs = select(PAYMENTS.c.id).where(PAYMENTS.c.customer_id == customer_id)
    connection.execute(
        update(NOTES)
        .where(NOTES.c.payment_id.in_(theirs), NOTES.c.erased_at.is_(None))
        .values(sealed=None, erased_at=now())
    )
