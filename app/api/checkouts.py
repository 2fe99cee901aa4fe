"""Hosted checkouts: a payment that the payer makes on our page."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from flask import Response
from pydantic import Discriminator, Tag
from sqlalchemy import Select, select

from app.api._answers import answer, id_in, newest_first, read_one
from app.api._callers import actor, may_capture_itself, needs, scope, tenant
from app.api._input import Body, Email, Id, Page, Text255
from app.api._once import once
from app.api._payment_in import Language, OrderIn, PayerIn, payer_of
from app.api._pictures import Checkout, Checkouts
from app.api._resource import resource
from app.api.payments import customer_of
from app.connectors.kinds import Payer
from app.core.db import reading
from app.core.idempotency import Repeated
from app.core.ids import parse_id
from app.payments.checkout import CHECKOUTS, open_checkout
from app.payments.public import checkout_picture
from app.payments.queries import PAYMENTS
from app.payments.states import CHECKOUT

api = resource("checkouts", "Hosted pages on which a payer pays, as a full page or in an iframe.")

_PAYMENT = ("amount", "currency", "merchant_reference", "receivable_id")
_SHOWN: Select[Any] = select(CHECKOUTS, *(PAYMENTS.c[name].label(f"payment_{name}") for name in _PAYMENT)).join(
    PAYMENTS, PAYMENTS.c.id == CHECKOUTS.c.payment_id
)


EXAMPLE = {
    "amount": 4990,
    "currency": "EUR",
    "merchant_reference": "order-1001",
    "customer": {"name": "Erika Muster", "email": "erika@example.com"},
    "lines": [{"name": "Teapot", "quantity": 1, "amount": 4990}],
    "return_url": "https://shop.example/thanks",
}


class Contact(Body):
    """A payer who is no customer of yours yet."""

    name: Text255 | None = None
    email: Email | None = None


def _kind(value: Any) -> str:
    return "is:id" if isinstance(value, str) else "is:contact"


CustomerIn = Annotated[Annotated[Id, Tag("is:id")] | Annotated[Contact, Tag("is:contact")], Discriminator(_kind)]


class NewCheckout(OrderIn):
    """An order to be paid on our page. A merchant with only one shop may leave out `shop`."""

    receivable: Id | None = None
    """What is owed already: `receivable` of an earlier checkout for the same order. However many checkouts are made for
    it, one collects at a time, and no more than what is still due. Without it, a new debt of `amount` begins."""
    customer: CustomerIn | None = None
    """The id of a customer, or name and e-mail address."""
    language: Language | None = None
    """Of the page; else the shop's."""
    places_order: bool = True
    """The button says that it places an order (“Zahlungspflichtig bestellen”)."""


class CheckoutFilter(Page):
    status: Literal[*CHECKOUT.states] | None = None  # pyright: ignore[reportInvalidTypeForm]  # see states.py
    payment: Id | None = None


@api.post("/checkouts")
@needs("checkout.create")
@api.input(NewCheckout, example=EXAMPLE)
@api.output(Checkout, 201)
def create(json_data: NewCheckout) -> Response:
    """Create a checkout

    Send the payer to `url`, or show `embed_url` in an iframe. It can be paid for 24 hours. One that captures itself
    takes the permission `payment.capture`, and counts towards the key's limits for captures when it is created.

    A second checkout for the same order names the first one's `receivable`, so that the order is never paid twice: it
    is refused with `nothing_due` once that is paid and with `less_due` if it asks for more than is due, and while one
    of them is being paid, the other's payer is asked to wait.
    """
    customer_id, payer = _payer(json_data)
    order = json_data.order(shop_id=id_in("shp", json_data.shop, "shop"), customer_id=customer_id, payer=payer)
    order = replace(order, receivable_id=id_in("rcv", json_data.receivable, "receivable"))
    try:
        opened = open_checkout(
            order,
            **tenant(),
            actor=actor(),
            places_order=json_data.places_order,
            language=json_data.language,
            once=once(),
            permit=may_capture_itself(json_data.capture),
        )
    except Repeated as repeated:
        return answer(_draw(read_one(_SHOWN.where(CHECKOUTS.c.id == repeated.subject_id))), 201, repeated=True)
    return answer(checkout_picture(opened.checkout, opened.payment), 201)


@api.get("/checkouts/<checkout_id>")
@needs("payment.read")
@api.output(Checkout)
def get(checkout_id: str) -> Response:
    """Get a checkout"""
    return answer(_draw(read_one(_SHOWN.where(CHECKOUTS.c.id == parse_id("chk", checkout_id)))))


@api.get("/checkouts")
@needs("payment.read")
@api.input(CheckoutFilter, location="query")
@api.output(Checkouts)
def list_(query_data: CheckoutFilter) -> Response:
    """List checkouts

    Newest first.
    """
    query = _SHOWN
    payment_id = id_in("pay", query_data.payment, "payment")
    if query_data.status:
        query = query.where(CHECKOUTS.c.state == query_data.status)
    if payment_id:
        query = query.where(CHECKOUTS.c.payment_id == payment_id)
    with reading(scope()) as connection:
        return newest_first(connection, query, CHECKOUTS.c.id, "chk", query_data, _draw)


def _payer(body: NewCheckout) -> tuple[Any, Payer]:
    """The customer's id and what is known of the payer. Raises NotFound."""
    if isinstance(body.customer, Contact):
        return None, payer_of(PayerIn(name=body.customer.name, email=body.customer.email), None)
    customer_id = id_in("cus", body.customer, "customer")
    if customer_id is None:
        return None, payer_of(None, None)
    return customer_id, payer_of(None, customer_of(customer_id))


def _draw(row: Any) -> dict[str, Any]:
    return checkout_picture(row, {name: row[f"payment_{name}"] for name in _PAYMENT})


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import checkouts as _me

    _: Resource = _me
