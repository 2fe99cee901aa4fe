"""Disputes: a payer's bank asks for the money back."""

from typing import TYPE_CHECKING, Literal

from flask import Response
from sqlalchemy import select

from app.api._answers import answer, id_in, newest_first, read_one
from app.api._callers import needs, scope
from app.api._input import Id, Page
from app.api._pictures import Dispute, Disputes
from app.api._resource import resource
from app.core.db import reading
from app.core.ids import parse_id
from app.payments.dispute import DISPUTES
from app.payments.public import dispute_picture
from app.payments.states import DISPUTE

api = resource(
    "disputes",
    "A payer's bank asks for the money back. Evidence is sent in the provider's own portal; it can be kept here.",
)


class DisputeFilter(Page):
    status: Literal[*DISPUTE.states] | None = None  # pyright: ignore[reportInvalidTypeForm]  # see states.py
    payment: Id | None = None


@api.get("/disputes/<dispute_id>")
@needs("dispute.read")
@api.output(Dispute)
def get(dispute_id: str) -> Response:
    """Get a dispute"""
    return answer(dispute_picture(read_one(select(DISPUTES).where(DISPUTES.c.id == parse_id("dsp", dispute_id)))))


@api.get("/disputes")
@needs("dispute.read")
@api.input(DisputeFilter, location="query")
@api.output(Disputes)
def list_(query_data: DisputeFilter) -> Response:
    """List disputes

    Newest first.
    """
    query = select(DISPUTES)
    payment_id = id_in("pay", query_data.payment, "payment")
    if query_data.status:
        query = query.where(DISPUTES.c.state == query_data.status)
    if payment_id:
        query = query.where(DISPUTES.c.payment_id == payment_id)
    with reading(scope()) as connection:
        return newest_first(connection, query, DISPUTES.c.id, "dsp", query_data, dispute_picture)


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import disputes as _me

    _: Resource = _me
