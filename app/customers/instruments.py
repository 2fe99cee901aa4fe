"""Instruments: what a customer can be charged with again. Tokens are sealed; numbers are never here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.connectors.kinds import Card
from app.core import vault
from app.core.clock import now
from app.core.db import table_of
from app.core.errors import Conflict, NotFound
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.customers.models import Instrument, InstrumentToken
from app.customers.restrict import refuse_restricted

INSTRUMENTS = table_of(Instrument)
_CONTEXT = "instrument_tokens.token"


class InstrumentInactive(Conflict):
    code = "instrument_inactive"
    message = N_("This means of payment is no longer in use.")
    advice = N_("Ask the payer for another one.")


@dataclass(frozen=True, slots=True)
class Token:
    """`token` in clear, for one call."""

    token: str = field(repr=False)
    scheme_transaction_id: str | None


def card_fingerprint(card: Card) -> bytes:
    """Recognises a card number without storing it: keyed HMAC, the same for every merchant of this installation."""
    return vault.blind_index(card.number, "card")


def expect(
    connection: Connection,
    *,
    merchant_id: UUID,
    live: bool,
    method: str,
    customer_id: UUID | None,
    card: Card | None = None,
    instrument_id: UUID | None = None,
) -> UUID:
    """Writes down what is known of an instrument while its number is here. It stays pending until it is `added`."""
    instrument_id = instrument_id or uuid7()
    connection.execute(
        insert(Instrument).values(
            id=instrument_id,
            merchant_id=merchant_id,
            live=live,
            customer_id=customer_id,
            method=method,
            last4=card.last4 if card else None,
            expiry_month=card.expiry_month if card else None,
            expiry_year=card.expiry_year if card else None,
            holder=card.holder if card else None,
            fingerprint=card_fingerprint(card) if card else None,
            active=True,
            pending=True,
            created_at=now(),
        )
    )
    return instrument_id


def added(
    connection: Connection, *, instrument_id: UUID, brand: str | None, last4: str | None = None, actor: str
) -> Mapping[str, Any] | None:
    """From now on the expected instrument can be charged: tells `instrument.added` and returns its row.

    None: it has no token anywhere, went out of use, or was added before.
    """
    has_token = exists().where(InstrumentToken.instrument_id == instrument_id)
    row = (
        connection.execute(
            update(INSTRUMENTS)
            .where(INSTRUMENTS.c.id == instrument_id, INSTRUMENTS.c.pending, INSTRUMENTS.c.active, has_token)
            .values(pending=False, brand=brand, last4=func.coalesce(INSTRUMENTS.c.last4, last4))
            .returning(INSTRUMENTS)
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    tell(
        "instrument.added",
        subject=("instrument", instrument_id),
        step=1,
        merchant_id=row["merchant_id"],
        live=row["live"],
        data={
            "instrument": public_id("ins", instrument_id),
            "customer": public_id("cus", row["customer_id"]) if row["customer_id"] else None,
            "method": row["method"],
            "brand": brand,
        },
        actor=actor,
    )
    return dict(row)


def add_token(
    connection: Connection,
    *,
    merchant_id: UUID,
    live: bool,
    instrument_id: UUID,
    contract_id: UUID,
    token: str,
    scheme_transaction_id: str | None = None,
) -> None:
    """Adds the instrument's token at one contract; the newest counts.

    None is kept for an instrument that went out of use meanwhile (its customer was erased while the payer confirmed).
    """
    query = select(INSTRUMENTS.c.active).where(INSTRUMENTS.c.id == instrument_id).with_for_update(read=True)
    if not connection.execute(query).scalar_one():
        return
    values = {"token_sealed": vault.seal(token.encode(), _CONTEXT), "scheme_transaction_id": scheme_transaction_id}
    connection.execute(
        insert(InstrumentToken)
        .values(
            **values,
            instrument_id=instrument_id,
            contract_id=contract_id,
            merchant_id=merchant_id,
            live=live,
            created_at=now(),
        )
        .on_conflict_do_update(index_elements=["instrument_id", "contract_id"], set_=values)
    )


def tokens(connection: Connection, instrument_id: UUID) -> tuple[Mapping[str, Any], dict[UUID, Token]]:
    """The instrument's row and its tokens by contract. Raises NotFound, InstrumentInactive, CustomerRestricted."""
    instrument = (
        connection.execute(select(INSTRUMENTS).where(INSTRUMENTS.c.id == instrument_id, ~INSTRUMENTS.c.pending))
        .mappings()
        .first()
    )
    if instrument is None:
        raise NotFound(param="payment_method.instrument")
    if not instrument["active"]:
        raise InstrumentInactive(param="payment_method.instrument")
    refuse_restricted(connection, instrument["customer_id"])
    rows = connection.execute(
        select(InstrumentToken.contract_id, InstrumentToken.token_sealed, InstrumentToken.scheme_transaction_id).where(
            InstrumentToken.instrument_id == instrument_id
        )
    ).all()
    found = {
        row.contract_id: Token(vault.unseal(row.token_sealed, _CONTEXT).decode(), row.scheme_transaction_id)
        for row in rows
    }
    return dict(instrument), found
