"""Everything about one payment, as the back office shows it: a few reads, nothing locked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, select

from app.core.db import table_of
from app.core.errors import NotFound
from app.core.events import Event
from app.ledger.models import Account, Entry, Line
from app.merchants.models import Merchant, Shop
from app.payments.models import Checkout, Dispute
from app.payments.queries import AUTHORISATIONS, CONTRACTS, OPERATIONS, PAYMENTS, Held
from app.risk.models import RiskDecision
from app.routing.models import RoutingDecision

Rows = Sequence[RowMapping]


@dataclass(frozen=True, slots=True)
class History:
    """`payment` carries merchant_name, shop_name, timezone and clock_offset_seconds besides its own columns."""

    payment: Mapping[str, Any]
    authorisations: Rows  # newest first, with contract_label
    operations: Rows  # oldest first
    disputes: Rows
    checkout: RowMapping | None
    events: Rows  # newest first
    bookings: Rows  # lines with the columns of their entry and account
    risk: Rows
    routing: Rows


def overview(connection: Connection, payment_id: UUID) -> Mapping[str, Any]:
    """The payment alone with the names of its merchant and shop. Raises NotFound."""
    query = (
        select(
            PAYMENTS,
            Merchant.name.label("merchant_name"),
            Merchant.timezone,
            Merchant.clock_offset_seconds,
            Shop.name.label("shop_name"),
        )
        .join(Merchant, Merchant.id == PAYMENTS.c.merchant_id)
        .join(Shop, Shop.id == PAYMENTS.c.shop_id, isouter=True)
        .where(PAYMENTS.c.id == payment_id)
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound()
    return {str(name): value for name, value in row.items()}


def history(connection: Connection, payment_id: UUID) -> History:
    """Raises NotFound."""
    payment = overview(connection, payment_id)
    dispute, checkout = table_of(Dispute), table_of(Checkout)
    risk, routing, event = table_of(RiskDecision), table_of(RoutingDecision), table_of(Event)

    def rows(query: Any) -> Rows:
        return connection.execute(query).mappings().all()

    return History(
        payment=payment,
        authorisations=rows(_authorisations(payment_id)),
        operations=rows(select(OPERATIONS).where(OPERATIONS.c.payment_id == payment_id).order_by(OPERATIONS.c.id)),
        disputes=rows(select(dispute).where(dispute.c.payment_id == payment_id).order_by(dispute.c.id)),
        checkout=next(iter(rows(select(checkout).where(checkout.c.payment_id == payment_id))), None),
        events=rows(select(event).where(event.c.payment_id == payment_id).order_by(event.c.id.desc()).limit(200)),
        bookings=rows(_bookings(payment_id)),
        risk=rows(select(risk).where(risk.c.payment_id == payment_id).order_by(risk.c.id)),
        routing=rows(select(routing).where(routing.c.payment_id == payment_id).order_by(routing.c.id)),
    )


def open_of(connection: Connection, payment: Mapping[str, Any]) -> Held | None:
    """The payment with its open authorisation and contract, without a lock: for showing what could be done."""
    query = (
        select(AUTHORISATIONS, CONTRACTS)
        .join(CONTRACTS, CONTRACTS.c.id == AUTHORISATIONS.c.contract_id)
        .where(AUTHORISATIONS.c.payment_id == payment["id"], AUTHORISATIONS.c.is_open)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    values = iter(tuple(row))
    authorisation = {column.name: next(values) for column in AUTHORISATIONS.c}
    contract = {column.name: next(values) for column in CONTRACTS.c}
    return Held(payment, authorisation, contract, payment["clock_offset_seconds"], payment["timezone"], {})


def _authorisations(payment_id: UUID) -> Select[Any]:
    return (
        select(AUTHORISATIONS, CONTRACTS.c.label.label("contract_label"))
        .join(CONTRACTS, CONTRACTS.c.id == AUTHORISATIONS.c.contract_id)
        .where(AUTHORISATIONS.c.payment_id == payment_id)
        .order_by(AUTHORISATIONS.c.attempt.desc())
    )


def _bookings(payment_id: UUID) -> Any:
    return (
        select(
            Entry.id,
            Entry.recipe,
            Entry.key,
            Entry.booking_date,
            Entry.created_at,
            Line.amount,
            Line.currency,
            Account.code,
        )
        .join(Line, Line.entry_id == Entry.id)
        .join(Account, Account.id == Line.account_id)
        .where(Entry.payment_id == payment_id)
        .order_by(Entry.id, Line.id)
    )
