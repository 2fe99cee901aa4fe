"""Payments: create, confirm, cancel, get, list."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from flask import Response
from pydantic import Field
from sqlalchemy import ColumnElement, Select, func, select, true

from app.api._answers import UNDECIDED, answer, first_id_at, id_in, newest_first, read_one, status_of
from app.api._callers import actor, may_capture_itself, needs, permitted, scope, tenant
from app.api._input import Body, Email, Id, Moment, Page, Text100, Text255
from app.api._once import of_payment, once, settled
from app.api._payment_in import Confirmation, NewPayment, payer_of
from app.api._pictures import Payment, Payments
from app.api._resource import PENDING, resource
from app.core.db import atomic, reading, table_of
from app.core.errors import Conflict
from app.core.idempotency import Once, Repeated, claim
from app.core.ids import parse_id, uuid7
from app.core.texts import N_
from app.customers.models import Customer
from app.merchants.models import Shop
from app.payments.authorise import authorise
from app.payments.cancel import cancel as cancel_payment
from app.payments.perform import Done
from app.payments.permit import Permit
from app.payments.public import payment_picture
from app.payments.queries import OPERATIONS, PAYMENTS
from app.payments.start import Order, start
from app.payments.states import STATUSES

api = resource("payments", "What a merchant asks to be paid. Under it stand captures, refunds and a cancellation.")

CUSTOMERS, SHOPS = table_of(Customer), table_of(Shop)

# A payment with its newest attempt, which gives `next_action` and `failure`.
_newest = (
    select(*(OPERATIONS.c[name] for name in ("state", "code", "provider_code", "action")))
    .where(OPERATIONS.c.payment_id == PAYMENTS.c.id, OPERATIONS.c.kind == "authorise")
    .order_by(OPERATIONS.c.id.desc())
    .limit(1)
    .lateral("newest")
)
_PAID: Select[Any] = select(PAYMENTS, *(column.label(f"newest_{column.name}") for column in _newest.c)).join(
    _newest, true(), isouter=True
)


EXAMPLE_INSTRUMENT = "ins_01jd3q5wcde2f4g6h8j0k2m4np"
EXAMPLE = {
    "amount": 4990,
    "currency": "EUR",
    "merchant_reference": "order-1001",
    "capture": "manual",
    "payment_method": {
        "type": "card",
        "card": {"number": "4242 4242 4242 4242", "expiry_month": 12, "expiry_year": 2031, "security_code": "123"},
    },
    "payer": {"name": "Erika Muster", "email": "erika@example.com"},
}


class PaidByCheckout(Conflict):
    code = "paid_by_checkout"
    message = N_("This payment is made on its hosted checkout.")
    advice = N_("Send the payer to the checkout's url.")


class PaymentFilter(Page):
    """Filters are combined with “and”; references and addresses are compared whole, without regard to case."""

    status: Literal[*STATUSES] | None = None  # pyright: ignore[reportInvalidTypeForm]  # the words stand in states.py
    merchant_reference: Text100 | None = None
    customer: Id | None = None
    payer_email: Email | None = None
    last4: Annotated[str, Field(pattern="^[0-9]{4}$")] | None = None
    created_from: Moment | None = None
    created_before: Moment | None = None


class Cancellation(Body):
    reason: Text255 | None = None


@api.post("/payments")
@needs("payment.create")
@api.input(NewPayment, example=EXAMPLE)
@api.output(Payment, 201)
@api.doc(responses=PENDING)
def create(json_data: NewPayment) -> Response:
    """Create a payment

    With a card, an instrument or a method it is authorised at once, and captured too if `capture` is
    “automatic”. A decline is an answer: status “failed” with a failure code. Without `payment_method` it waits to
    be confirmed. A payment that captures itself takes the permission `payment.capture`, and counts towards the key's
    limits for captures when it is created.
    """
    order, permit = _order(json_data), may_capture_itself(json_data.capture)
    try:
        if json_data.payment_method is None:
            return answer(payment_picture(_started(order, once(), permit)), 201)
        means = json_data.means(json_data.payment_method, json_data.payer)
        done = authorise(**tenant(), means=means, order=order, actor=actor(), once=once(), permit=permit)
    except Repeated as repeated:
        return _again(repeated.subject_id, 201)
    return _authorised(done, 201)


@api.post("/payments/<payment_id>/confirm")
@needs("payment.create")
@api.input(Confirmation, example={"payment_method": {"type": "instrument", "instrument": EXAMPLE_INSTRUMENT}})
@api.output(Payment)
@api.doc(responses=PENDING)
def confirm(payment_id: str, json_data: Confirmation) -> Response:
    """Confirm a payment

    Gives a payment that was created without a means of payment, or whose last attempt failed, a new one.
    """
    means = json_data.means(json_data.payment_method, json_data.payer)
    found = parse_id("pay", payment_id)
    payment = _one(found)
    if payment["receivable_id"] is not None:
        raise PaidByCheckout()
    may_capture_itself(payment["capture_mode"])
    try:
        done = authorise(**tenant(), means=means, payment_id=found, actor=actor(), once=once())
    except Repeated as repeated:
        return _again(repeated.subject_id, 200)
    return _authorised(done, 200)


@api.post("/payments/<payment_id>/cancel")
@needs("payment.cancel")
@api.input(Cancellation, example={"reason": "Out of stock"})
@api.output(Payment)
@api.doc(responses=PENDING)
def cancel(payment_id: str, json_data: Cancellation) -> Response:
    """Cancel a payment

    Gives back to the payer what is reserved and was not captured. Captured money is refunded instead. A payment that
    was not paid yet is closed: nobody can pay it any more.
    """
    found = parse_id("pay", payment_id)
    try:
        done = cancel_payment(
            **tenant(),
            payment_id=found,
            actor=actor(),
            reason=json_data.reason or "",
            once=once(),
            permit=permitted(json_data.reason),
        )
    except Repeated as repeated:
        if repeated.subject_type == "operation":
            operations = settled(select(OPERATIONS).where(OPERATIONS.c.id == repeated.subject_id))
        else:  # closed without one
            operations = []
        return answer(_read(found), status_of(operations, 200), repeated=True)
    return answer(_read(found), status_of([done.operation] if done.operation else [], 200))


@api.get("/payments/<payment_id>")
@needs("payment.read")
@api.output(Payment)
def get(payment_id: str) -> Response:
    """Get a payment"""
    return answer(_read(parse_id("pay", payment_id)))


@api.get("/payments")
@needs("payment.read")
@api.input(PaymentFilter, location="query")
@api.output(Payments)
def list_(query_data: PaymentFilter) -> Response:
    """List payments

    Newest first.
    """
    who = tenant()
    query = _PAID.where(
        PAYMENTS.c.merchant_id == who["merchant_id"], PAYMENTS.c.live == who["live"], *_conditions(query_data)
    )
    with reading(scope()) as connection:
        return newest_first(connection, query, PAYMENTS.c.id, "pay", query_data, draw)


def _conditions(given: PaymentFilter) -> list[ColumnElement[bool]]:
    columns = PAYMENTS.c
    customer_id = id_in("cus", given.customer, "customer")
    wanted = [
        columns.status == given.status if given.status else None,
        columns.reference_key == func.lower(given.merchant_reference) if given.merchant_reference else None,
        columns.customer_id == customer_id if customer_id else None,
        columns.email_key == func.lower(given.payer_email) if given.payer_email else None,
        columns.last4 == given.last4 if given.last4 else None,
        columns.id >= first_id_at(given.created_from) if given.created_from else None,
        columns.id < first_id_at(given.created_before) if given.created_before else None,
    ]
    return [condition for condition in wanted if condition is not None]


def _order(body: NewPayment) -> Order:
    """Looks up what the order names; most name nothing. Raises NotFound for what is not the caller's."""
    shop_id = id_in("shp", body.shop, "shop")
    customer_id = id_in("cus", body.customer, "customer")
    if shop_id is not None:
        read_one(select(SHOPS.c.id).where(SHOPS.c.id == shop_id), "shop")
    customer = customer_of(customer_id) if customer_id else None
    return body.order(shop_id=shop_id, customer_id=customer_id, payer=payer_of(body.payer, customer))


def customer_of(customer_id: UUID) -> Mapping[str, Any]:
    """Raises NotFound."""
    return read_one(select(CUSTOMERS).where(CUSTOMERS.c.id == customer_id, CUSTOMERS.c.erased_at.is_(None)), "customer")


def _started(order: Order, wish: Once | None, permit: Permit) -> Mapping[str, Any]:
    payment_id = uuid7()
    with atomic(scope()) as connection:
        claim(connection, wish, **tenant(), subject=("payment", payment_id))
        return start(connection, order, **tenant(), actor=actor(), payment_id=payment_id, permit=permit)


def _authorised(done: Done, decided: int) -> Response:
    status = status_of([done.operation], decided)
    return answer(payment_picture(done.payment, done.operation), status)


def _again(payment_id: UUID, decided: int) -> Response:
    """A repeated create or confirm: the payment as it is now. An automatic capture belongs to it."""
    row = _one(payment_id)
    kinds = ("authorise", "capture") if row["capture_mode"] == "automatic" else ("authorise",)
    settled(of_payment(payment_id, kinds))
    row = _one(payment_id)
    return answer(draw(row), 202 if row["newest_state"] in UNDECIDED else decided, repeated=True)


def _read(payment_id: UUID) -> Mapping[str, Any]:
    return draw(_one(payment_id))


def _one(payment_id: UUID) -> Mapping[str, Any]:
    """A payment of the caller's with its newest attempt. Raises NotFound."""
    return read_one(_PAID.where(PAYMENTS.c.id == payment_id))


def draw(row: Mapping[str, Any]) -> dict[str, Any]:
    newest = {name: row[f"newest_{name}"] for name in ("state", "code", "provider_code", "action")}
    return payment_picture(row, newest if newest["state"] else None)


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import payments as _me

    _: Resource = _me
