"""What belongs to a yes besides the money: the token of a card to be kept, its brand and country, the scheme's id.

A notification of the yes carries none of it and may come before the answer that does. So a later answer fills what
is empty, and where a card is to be kept, somebody asks for what is missing (fetch_details.py).
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, update

from app.connectors import CONNECTORS
from app.connectors.kinds import Answer
from app.core.clock import business_now
from app.customers import instruments
from app.payments.queries import AUTHORISATIONS, OPERATIONS, PAYMENTS, Held

_OF_AUTHORISATION = ("brand", "last4", "funding", "issuer_country", "scheme_transaction_id")
_OF_PAYMENT = ("brand", "last4")


def keep_instrument(connection: Connection, held: Held, answer: Answer, actor: str) -> UUID | None:
    """What was paid with, if it can be charged again. One that was to be kept now has its token."""
    instrument_id, operation = held.authorisation["instrument_id"], held.operation
    if instrument_id is None or not held.authorisation["store"]:
        return instrument_id
    if answer.token:
        instruments.add_token(
            connection,
            merchant_id=operation["merchant_id"],
            live=operation["live"],
            instrument_id=instrument_id,
            contract_id=operation["contract_id"],
            token=answer.token,
            scheme_transaction_id=answer.scheme_transaction_id,
        )
    row = instruments.added(
        connection, instrument_id=instrument_id, brand=answer.brand, last4=answer.last4, actor=actor
    )
    return row["id"] if row else None


def are_wanted(held: Held, answer: Answer) -> bool:
    """Is this a yes without the token that the provider has for a card that is to be kept?"""
    store = held.authorisation["store"] and held.authorisation["instrument_id"] is not None
    return store and not answer.token and CONNECTORS[held.contract["provider"]].CAN.tokens


def complete(connection: Connection, held: Held, answer: Answer, actor: str) -> Mapping[str, Any]:
    """A second yes to what is authorised fills what is empty, and nothing else. Returns the payment's row."""
    told = {name: getattr(answer, name) for name in _OF_AUTHORISATION if getattr(answer, name)}
    if not told and not answer.token:
        return held.payment
    authorisation, operation_id = held.authorisation, held.operation["id"]
    filled: dict[str, Any] = {name: func.coalesce(AUTHORISATIONS.c[name], value) for name, value in told.items()}
    if answer.valid_for:
        filled["expires_at"] = business_now(held.clock_offset_seconds) + answer.valid_for
    if filled:
        mine = AUTHORISATIONS.c.id == authorisation["id"]
        connection.execute(update(AUTHORISATIONS).where(mine).values(filled))
    instrument_id = keep_instrument(connection, held, answer, actor)
    if not are_wanted(held, answer):
        done = OPERATIONS.c.id == operation_id
        connection.execute(update(OPERATIONS).where(done).values(enquire_at=None, leased_until=None))
    if not authorisation["is_open"]:
        return held.payment  # it is another attempt's
    of_payment = {name: func.coalesce(PAYMENTS.c[name], told[name]) for name in _OF_PAYMENT if name in told}
    if instrument_id is not None:
        of_payment["instrument_id"] = func.coalesce(PAYMENTS.c.instrument_id, instrument_id)
    if not of_payment:
        return held.payment
    mine = PAYMENTS.c.id == held.payment["id"]
    row = connection.execute(update(PAYMENTS).where(mine).values(of_payment).returning(PAYMENTS))
    return dict(row.mappings().one())
