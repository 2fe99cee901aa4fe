"""Instruments: what a customer can be charged with again. Tokens are sealed; numbers are never here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from app.connectors.kinds import Card
from app.core import vault
from app.core.clock import now
from app.core.db import table_of
from app.core.errors import Conflict, NotFound
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.customers.models import Instrument, InstrumentToken

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


def keep(
    connection: Connection,
    *,
    merchant_id: UUID,
    live: bool,
    contract_id: UUID,
    token: str,
    method: str,
    customer_id: UUID | None = None,
    card: Card | None = None,
    brand: str | None = None,
    last4: str | None = None,
    scheme_transaction_id: str | None = None,
    instrument_id: UUID | None = None,
    actor: str,
) -> UUID:
    """Stores a new instrument with its first token and tells `instrument.added`."""
    instrument_id = instrument_id or uuid7()
    connection.execute(
        insert(Instrument).values(
            id=instrument_id,
            merchant_id=merchant_id,
            live=live,
            customer_id=customer_id,
            method=method,
            brand=brand,
            last4=card.last4 if card else last4,
            expiry_month=card.expiry_month if card else None,
            expiry_year=card.expiry_year if card else None,
            holder=card.holder if card else None,
            fingerprint=card_fingerprint(card) if card else None,
            active=True,
            created_at=now(),
        )
    )
    add_token(
        connection,
        merchant_id=merchant_id,
        live=live,
        instrument_id=instrument_id,
        contract_id=contract_id,
        token=token,
        scheme_transaction_id=scheme_transaction_id,
    )
    tell(
        "instrument.added",
        subject=("instrument", instrument_id),
        step=1,
        merchant_id=merchant_id,
        live=live,
        data={
            "instrument": public_id("ins", instrument_id),
            "customer": public_id("cus", customer_id) if customer_id else None,
            "method": method,
            "brand": brand,
        },
        actor=actor,
    )
    return instrument_id


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
    connection.execute(
        insert(InstrumentToken).values(
            instrument_id=instrument_id,
            contract_id=contract_id,
            merchant_id=merchant_id,
            live=live,
            token_sealed=vault.seal(token.encode(), _CONTEXT),
            scheme_transaction_id=scheme_transaction_id,
            created_at=now(),
        )
    )


def tokens(connection: Connection, instrument_id: UUID) -> tuple[Mapping[str, Any], dict[UUID, Token]]:
    """The instrument's row and its tokens by contract. Raises NotFound or InstrumentInactive."""
    instrument = (
        connection.execute(select(table_of(Instrument)).where(Instrument.id == instrument_id)).mappings().first()
    )
    if instrument is None:
        raise NotFound(param="payment_method.instrument")
    if not instrument["active"]:
        raise InstrumentInactive(param="payment_method.instrument")
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
