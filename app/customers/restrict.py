"""`restrict()` and `lift()`: Art. 18 GDPR. The data are kept, but nothing is done with them.

A restricted customer is not charged and gives no new card; their names are hidden in lists and exports. What was
authorised before may be captured, refunded and disputed: that defends claims (Art. 18 (2)).
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select, update

from app.core.clock import now
from app.core.errors import Conflict, NotFound
from app.core.events import tell
from app.core.ids import public_id
from app.core.texts import N_
from app.customers.add import CUSTOMERS, CustomerErased


class CustomerRestricted(Conflict):
    code = "customer_restricted"
    message = N_("The data of this customer must not be used at present (Art. 18 GDPR).")
    advice = N_("Ask the merchant's data protection officer.")


def restrict(connection: Connection, *, customer_id: UUID, reason: str, actor: str) -> Mapping[str, Any]:
    """Returns the row; a second time changes nothing. Raises NotFound, CustomerErased."""
    return _set(connection, customer_id, True, reason, actor)


def lift(connection: Connection, *, customer_id: UUID, reason: str, actor: str) -> Mapping[str, Any]:
    """Returns the row; a second time changes nothing. Raises NotFound, CustomerErased."""
    return _set(connection, customer_id, False, reason, actor)


def refuse_restricted(connection: Connection, customer_id: UUID | None) -> None:
    """Raises CustomerRestricted."""
    if customer_id is not None:
        _refuse(connection, CUSTOMERS.c.id == customer_id)


def refuse_restricted_payer(connection: Connection, payment: Mapping[str, Any]) -> None:
    """Of a payment (its row): the customer; without one, whoever has the e-mail address on it at this merchant.

    Raises CustomerRestricted.
    """
    if payment["customer_id"] is not None:
        refuse_restricted(connection, payment["customer_id"])
    elif payment["payer_email"]:
        of_merchant = (CUSTOMERS.c.merchant_id == payment["merchant_id"]) & (CUSTOMERS.c.live == payment["live"])
        _refuse(connection, of_merchant & (CUSTOMERS.c.email_key == func.lower(payment["payer_email"])))


def _refuse(connection: Connection, whose: ColumnElement[bool]) -> None:
    query = select(CUSTOMERS.c.id).where(whose, CUSTOMERS.c.restricted_at.is_not(None)).limit(1)
    if connection.execute(query).first():
        raise CustomerRestricted(param="customer")


def _set(connection: Connection, customer_id: UUID, wanted: bool, reason: str, actor: str) -> Mapping[str, Any]:
    query = select(CUSTOMERS).where(CUSTOMERS.c.id == customer_id).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound()
    if row["erased_at"] is not None:
        raise CustomerErased()
    before = row["restricted_at"]
    if (before is not None) == wanted:
        return dict(row)
    after = now() if wanted else None
    connection.execute(update(CUSTOMERS).where(CUSTOMERS.c.id == customer_id).values(restricted_at=after))
    tell(
        "customer.restricted" if wanted else "customer.released",
        subject=("customer", customer_id),
        merchant_id=row["merchant_id"],
        live=row["live"],
        audience="staff",
        data={
            "customer": public_id("cus", customer_id),
            "reason": reason,
            "before": {"restricted_at": before},
            "after": {"restricted_at": after},
        },
        actor=actor,
    )
    return {**row, "restricted_at": after}
