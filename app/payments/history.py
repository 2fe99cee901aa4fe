"""Everything about one payment, as the back office shows it: a few reads, nothing locked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, bindparam, select, text

from app.core.errors import NotFound
from app.ledger.models import Account, Entry, Line
from app.merchants.models import Merchant, Shop
from app.payments.queries import AUTHORISATIONS, CONTRACTS, PAYMENTS, Held

Rows = Sequence[RowMapping]


@dataclass(frozen=True, slots=True)
class History:
    """`payment` carries merchant_name, shop_name, timezone and clock_offset_seconds besides its own columns."""

    payment: Mapping[str, Any]
    authorisations: Rows  # newest first, with contract_label
    operations: Rows  # oldest first
    disputes: Rows
    checkout: RowMapping | None
    events: Rows  # newest first, the last 200
    bookings: Rows  # lines with the columns of their entry and account
    risk: Rows
    routing: Rows


# Statements are made once: a page needs a dozen, and putting one together takes longer than running it.
_PAYMENT = bindparam("payment")
_OVERVIEW = (
    select(
        PAYMENTS,
        Merchant.name.label("merchant_name"),
        Merchant.timezone,
        Merchant.clock_offset_seconds,
        Shop.name.label("shop_name"),
    )
    .join(Merchant, Merchant.id == PAYMENTS.c.merchant_id)
    .join(Shop, Shop.id == PAYMENTS.c.shop_id, isouter=True)
    .where(PAYMENTS.c.id == _PAYMENT)
)
_AUTHORISATIONS = (
    select(AUTHORISATIONS, CONTRACTS.c.label.label("contract_label"))
    .join(CONTRACTS, CONTRACTS.c.id == AUTHORISATIONS.c.contract_id)
    .where(AUTHORISATIONS.c.payment_id == _PAYMENT)
    .order_by(AUTHORISATIONS.c.attempt.desc())
)
_OPEN = (
    select(AUTHORISATIONS, CONTRACTS)
    .join(CONTRACTS, CONTRACTS.c.id == AUTHORISATIONS.c.contract_id)
    .where(AUTHORISATIONS.c.payment_id == _PAYMENT, AUTHORISATIONS.c.is_open)
)
_BOOKINGS = (
    select(
        *(Entry.id, Entry.recipe, Entry.key, Entry.booking_date, Entry.created_at),
        *(Line.amount, Line.currency, Account.code),
    )
    .join(Line, Line.entry_id == Entry.id)
    .join(Account, Account.id == Line.account_id)
    .where(Entry.payment_id == _PAYMENT)
    .order_by(Entry.id, Line.id)
)
_OPERATIONS = text("SELECT * FROM operations WHERE payment_id = :payment ORDER BY id")
_DISPUTES = text("SELECT * FROM disputes WHERE payment_id = :payment ORDER BY id")
_CHECKOUT = text("SELECT * FROM checkouts WHERE payment_id = :payment")
_EVENTS = text("SELECT * FROM events WHERE payment_id = :payment ORDER BY id DESC LIMIT 200")
_RISK = text("SELECT * FROM risk_decisions WHERE payment_id = :payment ORDER BY id")
_ROUTING = text("SELECT * FROM routing_decisions WHERE payment_id = :payment ORDER BY id")


def overview(connection: Connection, payment_id: UUID) -> Mapping[str, Any]:
    """The payment alone with the names of its merchant and shop. Raises NotFound."""
    row = connection.execute(_OVERVIEW, {"payment": payment_id}).mappings().first()
    if row is None:
        raise NotFound()
    return {str(name): value for name, value in row.items()}


def history(connection: Connection, payment_id: UUID) -> History:
    """Raises NotFound."""
    payment = overview(connection, payment_id)

    def rows(statement: Any) -> Rows:
        return connection.execute(statement, {"payment": payment_id}).mappings().all()

    return History(
        payment=payment,
        authorisations=rows(_AUTHORISATIONS),
        operations=rows(_OPERATIONS),
        disputes=rows(_DISPUTES),
        checkout=next(iter(rows(_CHECKOUT)), None),
        events=rows(_EVENTS),
        bookings=rows(_BOOKINGS),
        risk=rows(_RISK),
        routing=rows(_ROUTING),
    )


def open_of(connection: Connection, payment: Mapping[str, Any]) -> Held | None:
    """The payment with its open authorisation and contract, without a lock: for showing what could be done."""
    row = connection.execute(_OPEN, {"payment": payment["id"]}).first()
    if row is None:
        return None
    values = iter(tuple(row))
    authorisation = {column.name: next(values) for column in AUTHORISATIONS.c}
    contract = {column.name: next(values) for column in CONTRACTS.c}
    return Held(payment, authorisation, contract, payment["clock_offset_seconds"], payment["timezone"], {})
