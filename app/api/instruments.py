"""Instruments: cards and accounts that can be charged again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from app.api._answers import answer, id_in, newest_first, read_one
from app.api._callers import actor, needs, scope, tenant
from app.api._input import Body, Currency, Id, NoFields, Page
from app.api._once import once
from app.api._payment_in import ByCard, PayerIn, payer_of
from app.api._pictures import Moment, Picture
from app.api._pictures import Page as PagePicture
from app.api._resource import resource
from app.api.payments import EXAMPLE as PAYMENT
from app.connectors import CONNECTORS
from app.core.db import atomic, reading
from app.core.idempotency import Repeated, claim
from app.core.ids import parse_id, public_id
from app.customers.deactivate import INSTRUMENTS
from app.customers.deactivate import deactivate as deactivate_instrument
from app.customers.register import register
from app.payments.public import moment
from app.routing.choose import choose

api = resource("instruments", "Cards and accounts that can be charged again. A number is never kept, only tokens.")


class NewInstrument(Body):
    """A card to be registered."""

    payment_method: ByCard
    currency: Currency = "EUR"
    """Of later charges: it decides at which contracts the card is registered."""
    customer: Id | None = None
    payer: PayerIn | None = None


class Instrument(Picture):
    id: str
    object: str
    live: bool
    customer: str | None
    method: str
    brand: str | None
    last4: str | None
    expiry_month: int | None
    expiry_year: int | None
    holder: str | None
    active: bool
    created_at: Moment


class Instruments(PagePicture):
    data: list[Instrument]


class InstrumentFilter(Page):
    customer: Id | None = None


@api.post("/instruments")
@needs("instrument.write")
@api.input(NewInstrument, example={"payment_method": PAYMENT["payment_method"]})
@api.output(Instrument, 201)
def create(json_data: NewInstrument) -> Response:
    """Register a card

    Nothing is charged. The card is registered at every contract that may be chosen for a later charge; one that
    does not take it only shortens that list.
    """
    customer_id = id_in("cus", json_data.customer, "customer")
    with reading(scope()) as connection:
        candidates = choose(connection, **tenant(), method="card", currency=json_data.currency)
    try:
        row = register(
            **tenant(),
            card=json_data.payment_method.card.card(),
            chosen=[one.contract for one in candidates if CONNECTORS[one.contract["provider"]].CAN.tokens],
            currency=json_data.currency,
            actor=actor(),
            customer_id=customer_id,
            payer=payer_of(json_data.payer, None),
            once=once(),
        )
    except Repeated as repeated:
        return answer(draw(_one(repeated.subject_id)), 201, repeated=True)
    return answer(draw(row), 201)


@api.post("/instruments/<instrument_id>/deactivate")
@needs("instrument.write")
@api.input(NoFields)
@api.output(Instrument)
def deactivate(instrument_id: str, json_data: NoFields) -> Response:
    """Deactivate an instrument

    It is not charged again. A second time changes nothing.
    """
    found = parse_id("ins", instrument_id)
    try:
        with atomic(scope()) as connection:
            claim(connection, once(), **tenant(), subject=("instrument", found))
            row = deactivate_instrument(connection, instrument_id=found, actor=actor())
    except Repeated:
        return answer(draw(_one(found)), repeated=True)
    return answer(draw(row))


@api.get("/instruments/<instrument_id>")
@needs("customer.read")
@api.output(Instrument)
def get(instrument_id: str) -> Response:
    """Get an instrument"""
    return answer(draw(_one(parse_id("ins", instrument_id))))


@api.get("/instruments")
@needs("customer.read")
@api.input(InstrumentFilter, location="query")
@api.output(Instruments)
def list_(query_data: InstrumentFilter) -> Response:
    """List instruments

    Newest first.
    """
    query = select(INSTRUMENTS).where(~INSTRUMENTS.c.pending)
    customer_id = id_in("cus", query_data.customer, "customer")
    if customer_id:
        query = query.where(INSTRUMENTS.c.customer_id == customer_id)
    with reading(scope()) as connection:
        return newest_first(connection, query, INSTRUMENTS.c.id, "ins", query_data, draw)


def _one(instrument_id: UUID) -> dict[str, Any]:
    return read_one(select(INSTRUMENTS).where(INSTRUMENTS.c.id == instrument_id, ~INSTRUMENTS.c.pending))


def draw(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("method", "brand", "last4", "expiry_month", "expiry_year", "holder", "active")
    return {
        "id": public_id("ins", row["id"]),
        "object": "instrument",
        "live": row["live"],
        "customer": public_id("cus", row["customer_id"]) if row["customer_id"] else None,
        **{name: row[name] for name in plain},
        "created_at": moment(row["created_at"]),
    }


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import instruments as _me

    _: Resource = _me
