"""Reading deliveries, endpoints and mails, for lists and detail pages. Newest first, no OFFSET, no totals."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, literal_column, select, tuple_

from app.core.db import table_of
from app.core.errors import NotFound
from app.core.events import Event
from app.core.fast import Statement, read_together
from app.messages.endpoints import DELIVERIES, ENDPOINTS
from app.messages.models import Mail

EVENTS, MAILS = table_of(Event), table_of(Mail)

_DELIVERY = select(DELIVERIES, EVENTS.c.name.label("event_name"), ENDPOINTS.c.url.label("endpoint_url")).select_from(
    DELIVERIES.join(EVENTS, EVENTS.c.id == DELIVERIES.c.event_id).join(
        ENDPOINTS, ENDPOINTS.c.id == DELIVERIES.c.endpoint_id
    )
)
_OF_PAYMENT = Statement(
    _DELIVERY.where(DELIVERIES.c.payment_id == bindparam("payment"))
    .order_by(DELIVERIES.c.position, DELIVERIES.c.endpoint_id, DELIVERIES.c.replay)
    .limit(literal_column("200"))
)
_MAILS_OF_PAYMENT = Statement(
    select(*(column for column in MAILS.c if column.name not in ("sealed", "recipient_index")))
    .where(MAILS.c.payment_id == bindparam("payment"))
    .order_by(MAILS.c.created_at)
)


def deliveries(
    connection: Connection,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
    merchant_id: UUID | None = None,
    live: bool | None = None,
    endpoint_id: UUID | None = None,
    event_id: UUID | None = None,
    state: str | None = None,
) -> Sequence[RowMapping]:
    """Deliveries with `event_name` and `endpoint_url`. `after`: created_at and id of the row before."""
    query = _DELIVERY
    given = {"merchant_id": merchant_id, "live": live, "endpoint_id": endpoint_id, "event_id": event_id, "state": state}
    for name, value in given.items():
        if value is not None:
            query = query.where(DELIVERIES.c[name] == value)
    if after is not None:
        query = query.where(tuple_(DELIVERIES.c.created_at, DELIVERIES.c.id) < after)
    query = query.order_by(DELIVERIES.c.created_at.desc(), DELIVERIES.c.id.desc()).limit(limit)
    return connection.execute(query).mappings().all()


def delivery(connection: Connection, delivery_id: UUID) -> RowMapping:
    """One delivery with `event_name` and `endpoint_url`. Raises NotFound."""
    return _one(connection, _DELIVERY.where(DELIVERIES.c.id == delivery_id))


def told_of_payment(connection: Connection, payment_id: UUID) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Its deliveries, in the order in which they happened (200 at most), and its mails, without what they say."""
    deliveries, mails = read_together(connection, {"payment": payment_id}, _OF_PAYMENT, _MAILS_OF_PAYMENT)
    return deliveries, mails


def endpoints(connection: Connection, merchant_id: UUID | None = None) -> Sequence[RowMapping]:
    """Endpoints that were not deleted; the failing ones first."""
    query = select(ENDPOINTS).where(ENDPOINTS.c.deleted_at.is_(None))
    if merchant_id is not None:
        query = query.where(ENDPOINTS.c.merchant_id == merchant_id)
    query = query.order_by(ENDPOINTS.c.failing_since.nulls_last(), ENDPOINTS.c.id.desc())
    return connection.execute(query).mappings().all()


def endpoint(connection: Connection, endpoint_id: UUID) -> RowMapping:
    """Raises NotFound, also for a deleted one."""
    return _one(connection, select(ENDPOINTS).where(ENDPOINTS.c.id == endpoint_id, ENDPOINTS.c.deleted_at.is_(None)))


def failing(connection: Connection) -> Sequence[RowMapping]:
    """Endpoints that fail just now or were switched off for it, with `waiting` and `failed` deliveries."""

    def count(state: str) -> Any:
        return (
            select(func.count())
            .where(DELIVERIES.c.endpoint_id == ENDPOINTS.c.id, DELIVERIES.c.state == state)
            .scalar_subquery()
        )

    query = (
        select(ENDPOINTS, count("pending").label("waiting"), count("failed").label("failed"))
        .where(ENDPOINTS.c.deleted_at.is_(None), ENDPOINTS.c.failing_since.is_not(None))
        .order_by(ENDPOINTS.c.failing_since)
    )
    return connection.execute(query).mappings().all()


def _one(connection: Connection, query: Select[Any]) -> RowMapping:
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound()
    return row
