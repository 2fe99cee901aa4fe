"""Whom a request under the GDPR is about: a customer, and the payments that are theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, or_, select

from app.core.errors import Conflict, NotFound
from app.core.texts import N_
from app.customers.add import CUSTOMERS
from app.payments.queries import PAYMENTS

MOST = 20_000


class TooManyPayments(Conflict):
    code = "too_many_payments"
    message = N_("More than %(most)s payments belong to this person: that is too much for one step.")
    advice = N_("Nothing was done. Ask whoever runs the system.")


@dataclass(frozen=True, slots=True)
class Person:
    """`payments`: those of the customer, and those that the same e-mail address paid at this merchant as a guest."""

    customer: Mapping[str, Any]
    payments: tuple[UUID, ...]

    @property
    def id(self) -> UUID:
        return self.customer["id"]


def person(connection: Connection, customer_id: UUID) -> Person:
    """Raises NotFound, TooManyPayments: with some of them left out nobody would be told all, or erased."""
    row = connection.execute(select(CUSTOMERS).where(CUSTOMERS.c.id == customer_id)).mappings().first()
    if row is None:
        raise NotFound()
    theirs = PAYMENTS.c.customer_id == customer_id
    if row["email_key"]:
        as_guest = (PAYMENTS.c.live == row["live"]) & (PAYMENTS.c.email_key == row["email_key"])
        theirs = or_(theirs, as_guest & PAYMENTS.c.customer_id.is_(None))
    query = select(PAYMENTS.c.id).where(theirs, PAYMENTS.c.merchant_id == row["merchant_id"])
    found = connection.execute(query.order_by(PAYMENTS.c.id.desc()).limit(MOST + 1)).scalars().all()
    if len(found) > MOST:
        raise TooManyPayments(most=MOST)
    return Person(dict(row), tuple(found))
