"""Customers: who pays again and again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from flask import Response
from pydantic import StringConstraints
from sqlalchemy import Select, func, select

from app.api._answers import answer, newest_first, read_one
from app.api._callers import actor, needs, scope, tenant
from app.api._input import Body, Country, Email, Page, Text20, Text100, Text255
from app.api._once import once
from app.api._payment_in import Language
from app.api._pictures import Moment, Picture
from app.api._pictures import Page as PagePicture
from app.api._resource import resource
from app.core.db import atomic, reading
from app.core.idempotency import Repeated, claim
from app.core.ids import parse_id, public_id, uuid7
from app.customers.add import CUSTOMERS, add_customer, change_customer
from app.payments.public import moment
from app.privacy.erase import erase

api = resource("customers", "Who pays again and again. A customer's cards and accounts are its instruments.")

Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ()/-]{2,30}$")]


class Address(Body):
    """A postal address. `country` is ISO 3166-1 alpha-2."""

    street: Text255 | None = None
    postal_code: Text20 | None = None
    city: Text100 | None = None
    country: Country | None = None


class NewCustomer(Body):
    """Everything may be left out."""

    number: Text100 | None = None
    """Your own number of this customer; there is at most one customer with it."""
    name: Text255 | None = None
    email: Email | None = None
    phone: Phone | None = None
    address: Address | None = None
    language: Language = "de"


class CustomerChange(NewCustomer):
    """Only what is sent is changed; null empties a field."""


class Customer(Picture):
    id: str
    object: str
    live: bool
    number: str | None
    name: str | None
    email: str | None
    phone: str | None
    address: Address | None
    language: str
    created_at: Moment
    erased_at: Moment | None


class Customers(PagePicture):
    data: list[Customer]


class CustomerFilter(Page):
    number: Text100 | None = None
    email: Email | None = None


@api.post("/customers")
@needs("customer.write")
@api.input(NewCustomer, example={"number": "K-1001", "name": "Erika Muster", "email": "erika@example.com"})
@api.output(Customer, 201)
def create(json_data: NewCustomer) -> Response:
    """Create a customer"""
    customer_id = uuid7()
    try:
        with atomic(scope()) as connection:
            claim(connection, once(), **tenant(), subject=("customer", customer_id))
            columns = json_data.model_dump()
            row = add_customer(connection, **tenant(), actor=actor(), columns=columns, customer_id=customer_id)
    except Repeated as repeated:
        return answer(draw(read_one(_by_id(repeated.subject_id))), 201, repeated=True)
    return answer(draw(row), 201)


@api.patch("/customers/<customer_id>")
@needs("customer.write")
@api.input(CustomerChange, example={"email": "e.muster@example.com"})
@api.output(Customer)
def change(customer_id: str, json_data: CustomerChange) -> Response:
    """Change a customer

    Only what is sent is changed.
    """
    sent = json_data.model_dump(exclude_unset=True)
    with atomic(scope()) as connection:
        row = change_customer(connection, customer_id=parse_id("cus", customer_id), actor=actor(), columns=sent)
    return answer(draw(row))


@api.delete("/customers/<customer_id>")
@needs("customer.write")
@api.output(Customer)
def remove(customer_id: str) -> Response:
    """Erase a customer

    Name, addresses, cards and what events say of them are erased for good, and the cards are not charged again.
    Payments stay, with the name on them, for as long as the law wants them kept. A second time changes nothing.
    """
    with atomic(scope()) as connection:
        row = erase(connection, customer_id=parse_id("cus", customer_id), actor=actor())
    return answer(draw(row))


@api.get("/customers/<customer_id>")
@needs("customer.read")
@api.output(Customer)
def get(customer_id: str) -> Response:
    """Get a customer"""
    return answer(draw(read_one(_by_id(parse_id("cus", customer_id)))))


@api.get("/customers")
@needs("customer.read")
@api.input(CustomerFilter, location="query")
@api.output(Customers)
def list_(query_data: CustomerFilter) -> Response:
    """List customers

    Newest first.
    """
    who = tenant()
    own = (CUSTOMERS.c.merchant_id == who["merchant_id"], CUSTOMERS.c.live == who["live"])
    query = select(CUSTOMERS).where(*own, CUSTOMERS.c.erased_at.is_(None))
    if query_data.number:
        query = query.where(CUSTOMERS.c.number == query_data.number)
    if query_data.email:
        query = query.where(CUSTOMERS.c.email_key == func.lower(query_data.email))
    with reading(scope()) as connection:
        return newest_first(connection, query, CUSTOMERS.c.id, "cus", query_data, draw)


def _by_id(customer_id: UUID) -> Select[Any]:
    return select(CUSTOMERS).where(CUSTOMERS.c.id == customer_id)


def draw(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": public_id("cus", row["id"]),
        "object": "customer",
        "live": row["live"],
        **{name: row[name] for name in ("number", "name", "email", "phone", "address", "language")},
        "created_at": moment(row["created_at"]),
        "erased_at": moment(row["erased_at"]) if row["erased_at"] else None,
    }


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import customers as _me

    _: Resource = _me
