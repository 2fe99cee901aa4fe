"""`erase()`: everything of a person that no law wants kept goes (Art. 17 GDPR), in one transaction; see known/."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.core.errors import NotFound
from app.customers import erase as customers
from app.customers.add import CUSTOMERS
from app.privacy.known import in_order
from app.privacy.person import person


@dataclass(frozen=True, slots=True)
class Preview:
    """One kind of data: how much there is, and what stays of it (an English text, empty: nothing)."""

    title: str
    count: int
    stays: str


def preview(connection: Connection, customer_id: UUID) -> list[Preview]:
    """What an erasure would touch. Raises NotFound."""
    them = person(connection, customer_id)
    return [Preview(one.TITLE, len(one.known(connection, them)), one.STAYS) for _name, one in in_order()]


def erase(connection: Connection, *, customer_id: UUID, actor: str, reason: str = "") -> Mapping[str, Any]:
    """Returns the customer's row, empty; a second time changes nothing. Raises NotFound.

    Tells `customer.erased` with how much went, and the reason. The sealed log stays whole.
    """
    locked = connection.execute(select(CUSTOMERS).where(CUSTOMERS.c.id == customer_id).with_for_update())
    row = locked.mappings().first()
    if row is None:
        raise NotFound()
    if row["erased_at"] is not None:
        return dict(row)
    them = person(connection, customer_id)
    removed = {name: one.erase(connection, them) for name, one in in_order()}
    told = {"reason": reason or None, "removed": {name: count for name, count in removed.items() if count}}
    return customers.erase(connection, customer_id=customer_id, actor=actor, data=told)
