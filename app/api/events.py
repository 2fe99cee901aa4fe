"""Events: what happened, in the gapless order in which it was committed. The same that webhooks carry."""

from typing import TYPE_CHECKING, Any

from flask import Response
from sqlalchemy import Select, select

from app.api._answers import BadCursor, answer, cursor, id_in, listed, read_one
from app.api._callers import needs, scope, tenant
from app.api._input import Id, Page, Text100
from app.api._pictures import Moment, Picture
from app.api._pictures import Page as PagePicture
from app.api._resource import resource
from app.core.db import reading, table_of
from app.core.events import Event as EventRow
from app.core.events import EventLog
from app.core.ids import parse_id, public_id
from app.messages.public import event_picture

api = resource("events", "What happened, in order. Whoever misses a webhook reads it here.")

EVENTS, LOG = table_of(EventRow), table_of(EventLog)


class Event(Picture):
    """`step` counts the moves of its subject, `payment_step` those of its payment."""

    id: str
    type: str
    timestamp: Moment
    live: bool
    step: int | None
    payment_step: int | None
    data: dict[str, Any]


class Events(PagePicture):
    data: list[Event]


class EventFilter(Page):
    """Filters are combined with “and”."""

    type: Text100 | None = None
    """The name of an event, such as capture.succeeded."""
    payment: Id | None = None


@api.get("/events")
@needs("event.read")
@api.input(EventFilter, location="query")
@api.output(Events)
def list_(query_data: EventFilter) -> Response:
    """List events

    Oldest first, so that a reader goes on from the last event it has: send its id as `after`. Nothing is
    skipped and nothing comes twice.
    """
    query = _public()
    payment_id = id_in("pay", query_data.payment, "payment")
    if query_data.type:
        query = query.where(EVENTS.c.name == query_data.type)
    if payment_id:
        query = query.where(EVENTS.c.payment_id == payment_id)
    with reading(scope()) as connection:
        if query_data.after is not None:
            last = cursor("evt", query_data.after)
            position = connection.execute(
                select(LOG.c.position).join(EVENTS, EVENTS.c.id == LOG.c.event_id).where(EVENTS.c.id == last)
            ).scalar()
            if position is None:
                raise BadCursor(param="after")
            query = query.where(LOG.c.position > position)
        rows = connection.execute(query.order_by(LOG.c.position).limit(query_data.limit + 1)).mappings().all()
    shown = [dict(row) for row in rows[: query_data.limit]]
    more = len(rows) > query_data.limit
    return listed(map(event_picture, shown), public_id("evt", shown[-1]["id"]) if more else None)


@api.get("/events/<event_id>")
@needs("event.read")
@api.output(Event)
def get(event_id: str) -> Response:
    """Get an event"""
    return answer(event_picture(read_one(_public().where(EVENTS.c.id == parse_id("evt", event_id)))))


def _public() -> Select[Any]:
    who = tenant()
    return (
        select(EVENTS)
        .join(LOG, LOG.c.event_id == EVENTS.c.id)
        .where(LOG.c.merchant_id == who["merchant_id"], LOG.c.live == who["live"], LOG.c.public)
    )


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import events as _me

    _: Resource = _me
