"""`register()`: a card becomes an instrument that can be charged again, charging nothing now. Prepare, call, record.

The number is here in this one request, so the card is registered at every contract that may be chosen later. A
contract that refuses or is silent only shortens the list. Registering moves no money: a crash between call and
record leaves a token that nobody knows, and the repeated request (which carries the card again) makes a new one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, delete, select

from app.connectors import CONNECTORS
from app.connectors.kinds import Answer, Card, Outcome, Payer, Register
from app.core.clock import now
from app.core.db import atomic, of, reading, table_of
from app.core.errors import NotFound, Refusal
from app.core.http import NotSent
from app.core.idempotency import IdempotencyKey, Once, Repeated, StillRunning, claim
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.customers import instruments
from app.customers.models import Customer, Instrument
from app.customers.restrict import refuse_restricted
from app.merchants import contracts

log = structlog.get_logger()

INSTRUMENTS = table_of(Instrument)
CUSTOMERS = table_of(Customer)
LEASE = timedelta(seconds=60)


class NotRegistered(Refusal):
    """No contract took the card. `reason` is our word for why the first one that answered did not."""

    kind = "provider"
    code = "not_registered"
    message = N_("No provider took this card (%(reason)s).")
    advice = N_("Ask the payer for another card, or try again later.")


@dataclass(frozen=True, slots=True)
class Registered:
    """One contract's yes."""

    contract_id: UUID
    answer: Answer


def register(
    *,
    merchant_id: UUID,
    live: bool,
    card: Card,
    chosen: Sequence[Mapping[str, Any]],
    currency: str,
    actor: str,
    customer_id: UUID | None = None,
    payer: Payer = Payer(),
    once: Once | None = None,
) -> Mapping[str, Any]:
    """Registers `card` at the `chosen` contracts (rows). Returns the instrument's row.

    Raises NotRegistered, NotFound (customer), CustomerRestricted, Repeated, KeyReused, StillRunning.
    """
    instrument_id = _prepared(merchant_id, live, customer_id, once)
    taken, why = register_at(chosen, instrument_id, card, currency, payer)
    with atomic(of(merchant_id, live)) as connection:
        if taken:
            return _recorded(connection, instrument_id, taken, merchant_id, live, card, customer_id, actor)
        if once is not None:  # nothing came of it, so the key is free again
            connection.execute(delete(IdempotencyKey).where(IdempotencyKey.subject_id == instrument_id))
    raise NotRegistered(reason=why, param="card")


def register_at(
    chosen: Sequence[Mapping[str, Any]], instrument_id: UUID, card: Card, currency: str, payer: Payer
) -> tuple[list[Registered], str]:
    """Asks each contract for a token. Returns those that gave one, and why the first that answered did not.

    Takes no more than half a lease: what is not asked by then only shortens the list.
    """
    taken: list[Registered] = []
    why, until = "no_contract", now() + LEASE / 2
    for row in chosen:
        if now() > until:
            break
        answer = _call(row, Register(public_id("ins", instrument_id), "card", currency, card=card, payer=payer))
        if answer is not None and answer.outcome is Outcome.APPROVED and answer.token:
            taken.append(Registered(row["id"], answer))
        elif answer is not None and answer.code and why == "no_contract":
            why = answer.code.value
    return taken, why


def _prepared(merchant_id: UUID, live: bool, customer_id: UUID | None, once: Once | None) -> UUID:
    """The id of the instrument to be. A key whose request died before it made one is taken over after a minute."""
    instrument_id = uuid7()
    try:
        with atomic(of(merchant_id, live)) as connection:
            claim(connection, once, merchant_id, live, ("instrument", instrument_id))
            if customer_id is not None:
                _must_exist(connection, customer_id)
        return instrument_id
    except Repeated as repeated:
        with reading(of(merchant_id, live)) as connection:
            made = connection.execute(select(INSTRUMENTS.c.id).where(INSTRUMENTS.c.id == repeated.subject_id)).first()
            claimed_at = select(IdempotencyKey.created_at).where(IdempotencyKey.subject_id == repeated.subject_id)
            died = now() - connection.execute(claimed_at).scalar_one() > LEASE
        if made:
            raise
        if not died:
            raise StillRunning(retry_after=2) from None
        return repeated.subject_id


def _must_exist(connection: Connection, customer_id: UUID) -> None:
    query = select(CUSTOMERS.c.id).where(CUSTOMERS.c.id == customer_id, CUSTOMERS.c.erased_at.is_(None))
    if not connection.execute(query).first():
        raise NotFound(param="customer")
    refuse_restricted(connection, customer_id)


def _call(contract: Mapping[str, Any], ask: Register) -> Answer | None:
    """None: provably not sent. A bug in a connector is a contract less, not a failure."""
    try:
        return CONNECTORS[contract["provider"]].register(contracts.opened(contract), ask)
    except NotSent as error:
        log.warning("not_sent", provider=contract["provider"], verb="register", why=str(error))
    except Exception as error:  # the type only: a message might quote what was sent
        log.error("connector_raised", provider=contract["provider"], verb="register", error=type(error).__name__)
    return None


def _recorded(
    connection: Connection,
    instrument_id: UUID,
    taken: Sequence[Registered],
    merchant_id: UUID,
    live: bool,
    card: Card,
    customer_id: UUID | None,
    actor: str,
) -> Mapping[str, Any]:
    """Stores the instrument with a token per contract. Of two requests that took over one key, the first wins."""
    connection.execute(
        select(IdempotencyKey.key).where(IdempotencyKey.subject_id == instrument_id).with_for_update()
    ).first()
    query = select(INSTRUMENTS).where(INSTRUMENTS.c.id == instrument_id)
    row = connection.execute(query).mappings().first()
    if row is not None:
        return dict(row)
    instruments.expect(
        connection,
        merchant_id=merchant_id,
        live=live,
        method="card",
        customer_id=customer_id,
        card=card,
        instrument_id=instrument_id,
    )
    keep_tokens(connection, merchant_id, live, instrument_id, taken)
    made = instruments.added(connection, instrument_id=instrument_id, brand=taken[0].answer.brand, actor=actor)
    assert made is not None, "it was expected a moment ago"
    return made


def keep_tokens(
    connection: Connection, merchant_id: UUID, live: bool, instrument_id: UUID, taken: Sequence[Registered]
) -> None:
    for one in taken:
        assert one.answer.token
        instruments.add_token(
            connection,
            merchant_id=merchant_id,
            live=live,
            instrument_id=instrument_id,
            contract_id=one.contract_id,
            token=one.answer.token,
            scheme_transaction_id=one.answer.scheme_transaction_id,
        )
