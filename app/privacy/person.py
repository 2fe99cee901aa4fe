"""Whom a request under the GDPR is about: a customer, and the payments that are theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, or_, select

from app.core.errors import NotFound
from app.customers.add import CUSTOMERS
from app.payments.queries import PAYMENTS

MOST = 5_000


@dataclass(frozen=True, slots=True)
class Person:
    """`payments`: those of the customer, and those that the same e-mail address paid at this merchant as a guest."""

    customer: Mapping[str, Any]
    payments: tuple[UUID, ...]

    @property
    def id(self) -> UUID:
        return self.customer["id"]


def person(connection: Connection, customer_id: UUID) -> Person:
    """At most the latest 5,000 payments. Raises NotFound."""
    row = connection.execute(select(CUSTOMERS).where(CUSTOMERS.c.id == customer_id)).mappings().first()
    if row is None:
        raise NotFound()
    theirs = PAYMENTS.c.customer_id == customer_id
    if row["email_key"]:
        as_guest = (PAYMENTS.c.live == row["live"]) & (PAYMENTS.c.email_key == row["email_key"])
        theirs = or_(theirs, as_guest & PAYMENTS.c.customer_id.is_(None))
    query = select(PAYMENTS.c.id).where(theirs, PAYMENTS.c.merchant_id == row["merchant_id"])
    found = connection.execute(query.order_by(PAYMENTS.c.id.desc()).limit(MOST)).scalars()
    return Person(dict(row), tuple(found))
