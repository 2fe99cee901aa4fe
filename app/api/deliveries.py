"""Deliveries: one event to one webhook endpoint, with what came of it."""

from typing import TYPE_CHECKING, Literal
from uuid import UUID

from flask import Response
from sqlalchemy import select

from app.api._answers import BadCursor, answer, cursor, id_in, listed
from app.api._callers import actor, needs, scope, tenant
from app.api._input import Id, NoFields, Page
from app.api._once import once
from app.api._pictures import Moment, Picture
from app.api._pictures import Page as PagePicture
from app.api._resource import resource
from app.core.db import reading
from app.core.idempotency import Repeated
from app.core.ids import parse_id, public_id
from app.messages import queries
from app.messages.endpoints import DELIVERIES
from app.messages.public import delivery_picture
from app.messages.replay import replay as replay_delivery

api = resource("deliveries", "One event to one webhook endpoint, and what came of it.")


class Delivery(Picture):
    """`replay` counts how often this event was sent again to this endpoint on request."""

    id: str
    object: str
    endpoint: str
    event: str
    type: str
    payment: str | None
    replay: int
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    next_attempt_at: Moment | None
    last_status: int | None
    last_error: str | None
    last_duration_ms: int | None
    created_at: Moment
    delivered_at: Moment | None


class Deliveries(PagePicture):
    data: list[Delivery]


class DeliveryFilter(Page):
    endpoint: Id | None = None
    event: Id | None = None
    status: Literal["pending", "delivered", "failed"] | None = None


@api.get("/deliveries")
@needs("webhook.read")
@api.input(DeliveryFilter, location="query")
@api.output(Deliveries)
def list_(query_data: DeliveryFilter) -> Response:
    """List deliveries

    Newest first.
    """
    with reading(scope()) as connection:
        after = None
        if query_data.after is not None:
            last = cursor("dlv", query_data.after)
            row = connection.execute(select(DELIVERIES.c.created_at).where(DELIVERIES.c.id == last)).first()
            if row is None:
                raise BadCursor(param="after")
            after = (row.created_at, last)
        rows = queries.deliveries(
            connection,
            **tenant(),
            limit=query_data.limit + 1,
            after=after,
            endpoint_id=id_in("whe", query_data.endpoint, "endpoint"),
            event_id=id_in("evt", query_data.event, "event"),
            state=query_data.status,
        )
    shown = [dict(row) for row in rows[: query_data.limit]]
    more = len(rows) > query_data.limit
    return listed(map(delivery_picture, shown), public_id("dlv", shown[-1]["id"]) if more else None)


@api.get("/deliveries/<delivery_id>")
@needs("webhook.read")
@api.output(Delivery)
def get(delivery_id: str) -> Response:
    """Get a delivery"""
    return answer(drawn(parse_id("dlv", delivery_id)))


@api.post("/deliveries/<delivery_id>/replay")
@needs("webhook.write")
@api.input(NoFields)
@api.output(Delivery, 201)
def replay(delivery_id: str, json_data: NoFields) -> Response:
    """Replay a delivery

    Sends its event once more to the same endpoint, as a delivery of its own. The event's id stays the same.
    """
    try:
        new_id = replay_delivery(**tenant(), delivery_id=parse_id("dlv", delivery_id), actor=actor(), once=once())
    except Repeated as repeated:
        return answer(drawn(repeated.subject_id), 201, repeated=True)
    return answer(drawn(new_id), 201)


def drawn(delivery_id: UUID) -> dict[str, object]:
    """Raises NotFound."""
    with reading(scope()) as connection:
        return delivery_picture(dict(queries.delivery(connection, delivery_id)))


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import deliveries as _me

    _: Resource = _me
