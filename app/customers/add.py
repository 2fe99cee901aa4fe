"""New customers, and changes to them. Events name the columns; what stands in them is personal and is not told."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.core.clock import now
from app.core.db import savepoint, table_of
from app.core.errors import Conflict, NotFound
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.customers.models import Customer

CUSTOMERS = table_of(Customer)


class NumberTaken(Conflict):
    code = "customer_number_taken"
    message = N_("There is a customer with this number already.")
    advice = N_("Change that customer, or use another number.")


class CustomerErased(Conflict):
    code = "customer_erased"
    message = N_("The data of this customer were erased.")
    advice = N_("Add a new customer.")


def add_customer(
    connection: Connection,
    *,
    merchant_id: UUID,
    live: bool,
    actor: str,
    columns: Mapping[str, Any],
    customer_id: UUID | None = None,
) -> Mapping[str, Any]:
    """`columns`: any of number, name, email, phone, address, language. Returns the row. Raises NumberTaken.

    `customer_id`: made before, for an idempotency key.
    """
    row = (
        connection.execute(
            insert(CUSTOMERS)
            .values(
                {
                    "language": "de",
                    **columns,
                    "id": customer_id or uuid7(),
                    "merchant_id": merchant_id,
                    "live": live,
                    "created_at": now(),
                }
            )
            .on_conflict_do_nothing(index_elements=["merchant_id", "live", "number"])
            .returning(CUSTOMERS)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise NumberTaken(param="number")
    _told("customer.added", dict(row), actor, columns)
    return dict(row)


def change_customer(
    connection: Connection, *, customer_id: UUID, actor: str, columns: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Sets the given columns; None empties one. Returns the row. Raises NotFound, NumberTaken, CustomerErased."""
    before = (
        connection.execute(select(CUSTOMERS).where(CUSTOMERS.c.id == customer_id).with_for_update()).mappings().first()
    )
    if before is None:
        raise NotFound()
    if before["erased_at"] is not None:
        raise CustomerErased()
    changed = {name: value for name, value in columns.items() if before[name] != value}
    if not changed:
        return dict(before)
    try:
        with savepoint():
            row = connection.execute(
                update(CUSTOMERS).where(CUSTOMERS.c.id == customer_id).values(changed).returning(CUSTOMERS)
            )
            after = dict(row.mappings().one())
    except IntegrityError:  # the only unique key among these columns
        raise NumberTaken(param="number") from None
    _told("customer.changed", after, actor, changed)
    return after


def _told(name: str, row: Mapping[str, Any], actor: str, columns: Mapping[str, Any]) -> None:
    tell(
        name,
        subject=("customer", row["id"]),
        merchant_id=row["merchant_id"],
        live=row["live"],
        audience="staff",
        data={"customer": public_id("cus", row["id"]), "columns": sorted(columns)},
        actor=actor,
    )
