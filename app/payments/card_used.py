"""The card of a payment's newest attempt, as block lists know it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from app.core.errors import Conflict
from app.core.texts import N_
from app.customers.instruments import INSTRUMENTS
from app.payments.queries import AUTHORISATIONS


class NoCardUsed(Conflict):
    code = "no_card_used"
    message = N_("No card is known of this payment.")
    advice = N_("Block the e-mail address instead.")


@dataclass(frozen=True, slots=True)
class CardUsed:
    """`print_`: the keyed hash of its number."""

    print_: bytes = field(repr=False)
    brand: str | None
    last4: str | None


def card_used(connection: Connection, payment_id: UUID) -> CardUsed:
    """Raises NoCardUsed: another method, or an attempt from before fingerprints were kept."""
    print_: Any = func.coalesce(AUTHORISATIONS.c.card_fingerprint, INSTRUMENTS.c.fingerprint)
    row = connection.execute(
        select(print_, AUTHORISATIONS.c.brand, AUTHORISATIONS.c.last4)
        .select_from(AUTHORISATIONS)
        .outerjoin(INSTRUMENTS, INSTRUMENTS.c.id == AUTHORISATIONS.c.instrument_id)
        .where(AUTHORISATIONS.c.payment_id == payment_id, print_.is_not(None))
        .order_by(AUTHORISATIONS.c.attempt.desc())
        .limit(1)
    ).first()
    if row is None:
        raise NoCardUsed()
    return CardUsed(*row)
