"""Everything about one payment, as the back office shows it: a few reads, nothing locked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, text

from app.core.errors import NotFound
from app.core.fast import Statement, read_together
from app.ledger.models import Account, Entry, Line
from app.merchants.models import Merchant, Shop
from app.payments.blocked import payer_blocked
from app.payments.queries import AUTHORISATIONS, CONTRACTS, PAYMENTS, Held

Row = Mapping[str, Any]
Rows = Sequence[Row]


@dataclass(frozen=True, slots=True)
class History:
    """`payment` carries merchant_name, shop_name, timezone, clock_offset_seconds and payer_blocked besides its own."""

    payment: Row
    authorisations: Rows  # newest first, with contract_label
    operations: Rows  # oldest first
    disputes: Rows
    checkout: Row | None
    events: Rows  # newest first, the last 200
    bookings: Rows  # lines with the columns of their entry and account
    risk: Rows
    routing: Rows
    steps: Rows  # that a payer answered something, not what


# Statements are made once and read together: a page needs nine, and each by itself costs more than PostgreSQL takes.
_PAYMENT = bindparam("payment")
_OVERVIEW = Statement(
    select(
        PAYMENTS,
        Merchant.name.label("merchant_name"),
        Merchant.timezone,
        Merchant.clock_offset_seconds,
        Shop.name.label("shop_name"),
        payer_blocked(PAYMENTS.c.id),
    )
    .join(Merchant, Merchant.id == PAYMENTS.c.merchant_id)
    .join(Shop, Shop.id == PAYMENTS.c.shop_id, isouter=True)
    .where(PAYMENTS.c.id == _PAYMENT)
)
_AUTHORISATIONS = Statement(
    select(AUTHORISATIONS, CONTRACTS.c.label.label("contract_label"))
    .join(CONTRACTS, CONTRACTS.c.id == AUTHORISATIONS.c.contract_id)
    .where(AUTHORISATIONS.c.payment_id == _PAYMENT)
    .order_by(AUTHORISATIONS.c.attempt.desc())
)
_OPEN = Statement(
    select(AUTHORISATIONS, CONTRACTS)
    .join(CONTRACTS, CONTRACTS.c.id == AUTHORISATIONS.c.contract_id)
    .where(AUTHORISATIONS.c.payment_id == _PAYMENT, AUTHORISATIONS.c.is_open)
)
_BOOKINGS = Statement(
    select(
        *(Entry.id, Entry.recipe, Entry.key, Entry.booking_date, Entry.created_at),
        *(Line.amount, Line.currency, Account.code),
    )
    .join(Line, Line.entry_id == Entry.id)
    .join(Account, Account.id == Line.account_id)
    .where(Entry.payment_id == _PAYMENT)
    .order_by(Entry.id, Line.id)
)
_OPERATIONS = Statement(text("SELECT * FROM operations WHERE payment_id = :payment ORDER BY id"))
_DISPUTES = Statement(text("SELECT * FROM disputes WHERE payment_id = :payment ORDER BY id"))
_CHECKOUT = Statement(text("SELECT * FROM checkouts WHERE payment_id = :payment"))
_EVENTS = Statement(text("SELECT * FROM events WHERE payment_id = :payment ORDER BY id DESC LIMIT 200"))
_RISK = Statement(text("SELECT * FROM risk_decisions WHERE payment_id = :payment ORDER BY id"))
_ROUTING = Statement(text("SELECT * FROM routing_decisions WHERE payment_id = :payment ORDER BY id"))
_STEPS = Statement(text("SELECT step, taken_at FROM taken_steps WHERE payment_id = :payment ORDER BY taken_at"))


def overview(connection: Connection, payment_id: UUID) -> Row:
    """The payment alone with the names of its merchant and shop. Raises NotFound."""
    return _only(read_together(connection, {"payment": payment_id}, _OVERVIEW)[0])


def history(connection: Connection, payment_id: UUID) -> History:
    """Raises NotFound."""
    found = read_together(
        connection,
        {"payment": payment_id},
        *(_OVERVIEW, _AUTHORISATIONS, _OPERATIONS, _DISPUTES, _CHECKOUT, _EVENTS, _BOOKINGS, _RISK, _ROUTING, _STEPS),
    )
    payments, authorisations, operations, disputes, checkouts, events, bookings, risk, routing, steps = found
    return History(
        payment=_only(payments),
        authorisations=authorisations,
        operations=operations,
        disputes=disputes,
        checkout=next(iter(checkouts), None),
        events=events,
        bookings=bookings,
        risk=risk,
        routing=routing,
        steps=steps,
    )


def _only(rows: Rows) -> Row:
    if not rows:
        raise NotFound()
    return rows[0]


def open_of(connection: Connection, payment: Row) -> Held | None:
    """The payment with its open authorisation and contract, without a lock: for showing what could be done."""
    row = _OPEN.row(connection, {"payment": payment["id"]})
    if row is None:
        return None
    values = iter(row)
    authorisation = {column.name: next(values) for column in AUTHORISATIONS.c}
    contract = {column.name: next(values) for column in CONTRACTS.c}
    return Held(payment, authorisation, contract, payment["clock_offset_seconds"], payment["timezone"], {})
