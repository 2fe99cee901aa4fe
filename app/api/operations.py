"""Operations: everything that was asked of a provider for a payment, or that it told."""

from typing import TYPE_CHECKING

from flask import Response
from sqlalchemy import select

from app.api._answers import answer, newest_first, read_one
from app.api._callers import needs, scope
from app.api._input import Page
from app.api._pictures import Operation, Operations
from app.api._resource import resource
from app.core.db import reading
from app.core.ids import parse_id
from app.payments.public import operation_picture
from app.payments.queries import OPERATIONS, PAYMENTS

api = resource("operations", "Authorisations, captures, refunds, cancellations and chargebacks of a payment.")


@api.get("/payments/<payment_id>/operations")
@needs("payment.read")
@api.input(Page, location="query")
@api.output(Operations)
def of_payment(payment_id: str, query_data: Page) -> Response:
    """List the operations of a payment

    Newest first.
    """
    found = parse_id("pay", payment_id)
    read_one(select(PAYMENTS.c.id).where(PAYMENTS.c.id == found))
    with reading(scope()) as connection:
        query = select(OPERATIONS).where(OPERATIONS.c.payment_id == found)
        return newest_first(connection, query, OPERATIONS.c.id, "op", query_data, operation_picture)


@api.get("/operations/<operation_id>")
@needs("payment.read")
@api.output(Operation)
def get(operation_id: str) -> Response:
    """Get an operation

    For asking again about a capture that was answered with 202. Of a refund this is one part; the whole of it is
    at `/v1/refunds/{id}`.
    """
    found = parse_id("op", operation_id)
    return answer(operation_picture(read_one(select(OPERATIONS).where(OPERATIONS.c.id == found))))


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import operations as _me

    _: Resource = _me
