"""Reading payments: the rows an operation works on, under lock, and what is left of each sum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select

from app.core.db import table_of
from app.core.errors import NotFound
from app.core.fast import Statement
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
_WITH_OPERATION = _HELD.add_columns(OPERATIONS).join(OPERATIONS, OPERATIONS.c.authorisation_id == AUTHORISATIONS.c.id)
_ALL_THREE = [PAYMENTS, AUTHORISATIONS, OPERATIONS]
_BOTH = [PAYMENTS, AUTHORISATIONS]

_READ_OPERATION = Statement(_WITH_OPERATION.where(OPERATIONS.c.id == bindparam("id")))
_HELD_OPERATION = Statement(_WITH_OPERATION.where(OPERATIONS.c.id == bindparam("id")).with_for_update(of=_ALL_THREE))
_HELD_AUTHORISATION = Statement(_HELD.where(AUTHORISATIONS.c.id == bindparam("id")).with_for_update(of=_BOTH))
_HELD_OPEN = Statement(
    _HELD.where(PAYMENTS.c.id == bindparam("id"), AUTHORISATIONS.c.is_open).with_for_update(of=_BOTH)
)
_OPEN_OF_MANY = Statement(_HELD.where(PAYMENTS.c.id == func.any(bindparam("ids")), AUTHORISATIONS.c.is_open))
_LOCKED_PAYMENT = Statement(select(PAYMENTS).where(PAYMENTS.c.id == bindparam("id")).with_for_update())


def held_operation(connection: Connection, operation_id: UUID) -> Held:
    """Locks the payment of an operation and reads everything about it. Raises NotFound."""
    return _held(_HELD_OPERATION.row(connection, {"id": operation_id}))


def read_operation(connection: Connection, operation_id: UUID) -> Held:
    """The same without a lock. Raises NotFound."""
    return _held(_READ_OPERATION.row(connection, {"id": operation_id}))


def held_authorisation(connection: Connection, authorisation_id: UUID) -> Held:
    """Locks the payment of an authorisation. Raises NotFound."""
    return _held(_HELD_AUTHORISATION.row(connection, {"id": authorisation_id}))


def held_open(connection: Connection, payment_id: UUID) -> Held | None:
    """Locks a payment with its open authorisation; None when there is none (or no such payment)."""
    row = _HELD_OPEN.row(connection, {"id": payment_id})
    return _held(row) if row else None


def open_of_many(connection: Connection, payments: Sequence[UUID]) -> dict[UUID, Held]:
    """Payments with their open authorisations, without a lock; those that have none are left out."""
    rows = _OPEN_OF_MANY.rows(connection, {"ids": list(payments)})
    return {held.payment["id"]: held for held in map(_held, rows)}


def named_capture(connection: Connection, held: Held, reference: str | None) -> UUID | None:
    """The capture of an authorisation that a provider calls by this name."""
    if reference is None:
        return None
    return connection.execute(
        select(OPERATIONS.c.id).where(
            OPERATIONS.c.contract_id == held.authorisation["contract_id"],
            OPERATIONS.c.provider_reference == reference,
            OPERATIONS.c.authorisation_id == held.authorisation["id"],
            OPERATIONS.c.kind == "capture",
        )
    ).scalar()


def locked_payment(connection: Connection, payment_id: UUID) -> Mapping[str, Any]:
    """Locks a payment alone. Raises NotFound."""
    row = _LOCKED_PAYMENT.row(connection, {"id": payment_id})
    if row is None:
        raise NotFound()
    return dict(zip((column.name for column in PAYMENTS.c), row, strict=True))


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


_NAMES = [tuple(column.name for column in table.c) for table in (PAYMENTS, AUTHORISATIONS, CONTRACTS)]
_ENDS = [sum(len(names) for names in _NAMES[: place + 1]) for place in range(3)]
_OPERATION_NAMES = tuple(column.name for column in OPERATIONS.c)


def _held(values: tuple[Any, ...] | None) -> Held:
    if values is None:
        raise NotFound()
    parts = [
        dict(zip(names, values[end - len(names) : end], strict=True)) for names, end in zip(_NAMES, _ENDS, strict=True)
    ]
    offset, timezone = values[_ENDS[2] : _ENDS[2] + 2]
    operation = dict(zip(_OPERATION_NAMES, values[_ENDS[2] + 2 :], strict=False))
    return Held(parts[0], parts[1], parts[2], offset, timezone, operation)
