"""`replay()`: an event once more to the same endpoint, as a delivery of its own. The event's id stays the same."""

from uuid import UUID

from sqlalchemy import Connection, select, text

from app.core import queue
from app.core.clock import now
from app.core.db import atomic, of, transaction
from app.core.errors import Conflict, NotFound
from app.core.events import tell
from app.core.idempotency import Once, claim
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.messages.endpoints import DELIVERIES, EndpointInactive, held

MOST_AT_ONCE = 10_000


class StillWaiting(Conflict):
    code = "still_waiting"
    message = N_("This event is already waiting to be delivered.")
    advice = N_("It is sent by itself; look again in a moment.")


_AGAIN = """
    INSERT INTO deliveries
        (id, merchant_id, live, endpoint_id, event_id, payment_id, position, replay, due_at, created_at)
    SELECT coalesce(CAST(:new AS uuid), gen_random_uuid()), d.merchant_id, d.live, d.endpoint_id, d.event_id,
        d.payment_id, d.position, d.replay + 1, :now, :now
    FROM deliveries d
"""
_AGAIN_ONE = text(_AGAIN + "WHERE d.id = :id")
_AGAIN_FAILED = text(
    _AGAIN  # noqa: S608 - no values in it
    + """
    WHERE d.endpoint_id = :endpoint AND d.state = 'failed' AND NOT EXISTS (
        SELECT 1 FROM deliveries o
        WHERE o.event_id = d.event_id AND o.endpoint_id = d.endpoint_id AND o.replay > d.replay)
    ORDER BY d.created_at LIMIT :limit
    """
)


def replay(*, merchant_id: UUID, live: bool, delivery_id: UUID, actor: str, once: Once | None = None) -> UUID:
    """Queues a delivery's event again, delivered or failed. Returns the new delivery's id.

    Raises NotFound, EndpointInactive, StillWaiting; Repeated and KeyReused.
    """
    with atomic(of(merchant_id, live)) as connection:
        row = connection.execute(
            select(DELIVERIES.c.endpoint_id, DELIVERIES.c.event_id).where(DELIVERIES.c.id == delivery_id)
        ).first()
        if row is None:
            raise NotFound()
        new_id = uuid7()
        claim(connection, once, merchant_id, live, ("delivery", new_id))
        _usable(connection, row.endpoint_id)
        newest = connection.execute(
            select(DELIVERIES)
            .where(DELIVERIES.c.event_id == row.event_id, DELIVERIES.c.endpoint_id == row.endpoint_id)
            .order_by(DELIVERIES.c.replay.desc())
            .limit(1)
        ).one()
        if newest.state == "pending":
            raise StillWaiting()
        connection.execute(_AGAIN_ONE, {"new": new_id, "id": newest.id, "now": now()})
        _told(row.endpoint_id, merchant_id, live, 1, actor)
        return new_id


def replay_failed(*, merchant_id: UUID, live: bool, endpoint_id: UUID, actor: str) -> int:
    """Queues every failed delivery of an endpoint again, at most 10,000 at once. Returns how many.

    Raises NotFound, EndpointInactive.
    """
    with atomic(of(merchant_id, live)) as connection:
        _usable(connection, endpoint_id)
        count = connection.execute(
            _AGAIN_FAILED, {"new": None, "endpoint": endpoint_id, "now": now(), "limit": MOST_AT_ONCE}
        ).rowcount
        if count:
            _told(endpoint_id, merchant_id, live, count, actor)
        return count


def _usable(connection: Connection, endpoint_id: UUID) -> None:
    """Locks the endpoint, so that two people who press the button replay once."""
    if not held(connection, endpoint_id)["active"]:
        raise EndpointInactive()


def _told(endpoint_id: UUID, merchant_id: UUID, live: bool, count: int, actor: str) -> None:
    tell(
        "endpoint.replayed",
        subject=("endpoint", endpoint_id),
        merchant_id=merchant_id,
        live=live,
        audience="staff",
        data={"endpoint": public_id("whe", endpoint_id), "deliveries": count},
        actor=actor,
    )
    transaction().after_commit.append(lambda: queue.wake("deliver_webhooks"))
