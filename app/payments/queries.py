"""Reading payments: the rows an operation works on, under lock, and what is left of each sum."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, select

from app.core.db import table_of
from app.core.errors import NotFound
from app.merchants.models import Merchant, ProviderContract
from app.payments.models import Authorisation, Operation, Payment

PAYMENTS = table_of(Payment)
AUTHORISATIONS = table_of(Authorisation)
OPERATIONS = table_of(Operation)
CONTRACTS = table_of(ProviderContract)


@dataclass(frozen=True, slots=True)
class Held:
    """A payment under lock with one authorisation and, where one is worked on, one operation (rows as mappings)."""

    payment: Mapping[str, Any]
    authorisation: Mapping[str, Any]
    contract: Mapping[str, Any]
    clock_offset_seconds: int
    timezone: str
    operation: Mapping[str, Any]


# The payment's row comes first in FROM, so it is the first lock everybody takes: no two operations on one
# payment can wait for each other. All three are locked, so that after a wait their newest versions are read.
_HELD = (
    select(PAYMENTS, AUTHORISATIONS, CONTRACTS, Merchant.clock_offset_seconds, Merchant.timezone)
    .select_from(PAYMENTS)
    .join(AUTHORISATIONS, AUTHORISATIONS.c.payment_id == PAYMENTS.c.id)
    .join(CONTRACTS, CONTRACTS.c.id == AUTHORISATIONS.c.contract_id)
    .join(Merchant, Merchant.id == PAYMENTS.c.merchant_id)
)
_HELD_OPERATION = _HELD.add_columns(OPERATIONS).join(OPERATIONS, OPERATIONS.c.authorisation_id == AUTHORISATIONS.c.id)


def held_operation(connection: Connection, operation_id: UUID) -> Held:
    """Locks the payment of an operation and reads everything about it. Raises NotFound."""
    query = _HELD_OPERATION.where(OPERATIONS.c.id == operation_id).with_for_update(
        of=[PAYMENTS, AUTHORISATIONS, OPERATIONS]
    )
    return _held(connection.execute(query).first())


def read_operation(connection: Connection, operation_id: UUID) -> Held:
    """The same without a lock. Raises NotFound."""
    return _held(connection.execute(_HELD_OPERATION.where(OPERATIONS.c.id == operation_id)).first())


def held_authorisation(connection: Connection, authorisation_id: UUID) -> Held:
    query = _HELD.where(AUTHORISATIONS.c.id == authorisation_id).with_for_update(of=[PAYMENTS, AUTHORISATIONS])
    return _held(connection.execute(query).first())


def held_open(connection: Connection, payment_id: UUID) -> Held | None:
    """Locks a payment with its open authorisation; None when there is none (or no such payment)."""
    query: Select[Any] = _HELD.where(PAYMENTS.c.id == payment_id, AUTHORISATIONS.c.is_open).with_for_update(
        of=[PAYMENTS, AUTHORISATIONS]
    )
    row = connection.execute(query).first()
    return _held(row) if row else None


def locked_payment(connection: Connection, payment_id: UUID) -> Mapping[str, Any]:
    """Locks a payment alone. Raises NotFound."""
    row = connection.execute(select(PAYMENTS).where(PAYMENTS.c.id == payment_id).with_for_update()).mappings().first()
    if row is None:
        raise NotFound()
    return dict(row)


def left_to_capture(sums: Mapping[str, Any]) -> int:
    return max(
        0,
        sums["authorised"]
        - sums["captured"]
        - sums["capture_pending"]
        - sums["cancelled"]
        - sums["cancel_pending"]
        + sums["over_captured"],
    )


def left_to_refund(sums: Mapping[str, Any]) -> int:
    return max(
        0,
        sums["captured"] - sums["refunded"] - sums["refund_pending"] - sums["charged_back"] + sums["over_returned"],
    )


def _held(row: Row[Any] | None) -> Held:
    if row is None:
        raise NotFound()
    values = tuple(row)
    tables = [PAYMENTS, AUTHORISATIONS, CONTRACTS]
    parts, at = [], 0
    for table in tables:
        parts.append(dict(zip((column.name for column in table.c), values[at : at + len(table.c)], strict=True)))
        at += len(table.c)
    offset, timezone = values[at], values[at + 1]
    operation = dict(zip((column.name for column in OPERATIONS.c), values[at + 2 :], strict=False))
    return Held(parts[0], parts[1], parts[2], offset, timezone, operation)
