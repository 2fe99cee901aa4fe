"""Webhook endpoints: where a merchant listens, for which events, and with which secret.

All functions work in the open transaction of the merchant's scope, so another merchant's endpoint does
not exist for them. Every change is told to the staff's audience.
"""

import base64
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from app.core import queue, vault
from app.core.clock import now
from app.core.db import table_of, transaction
from app.core.errors import Conflict, NotFound, Refusal
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.messages.addresses import checked_url
from app.messages.events import by_name
from app.messages.models import Delivery, WebhookEndpoint

ENDPOINTS, DELIVERIES = table_of(WebhookEndpoint), table_of(Delivery)
CONTEXT = "webhook_endpoints.secret"
OLD_SECRET_LIVES = timedelta(hours=24)
MOST_ENDPOINTS = 30
TEST_EVENT = "endpoint.test"


class UnknownEvent(Refusal):
    code = "unknown_event"
    message = N_("There is no event “%(name)s”.")
    advice = N_("Leave the list empty to receive all events.")


class TooManyEndpoints(Conflict):
    code = "too_many_endpoints"
    message = N_("There are %(most)s webhook endpoints already.")
    advice = N_("Delete one that is no longer used.")


class EndpointInactive(Conflict):
    code = "endpoint_inactive"
    message = N_("This webhook endpoint is switched off.")
    advice = N_("Switch it on first.")


def add_endpoint(
    connection: Connection,
    *,
    merchant_id: UUID,
    live: bool,
    url: str,
    actor: str,
    description: str = "",
    events: Sequence[str] = (),
    endpoint_id: UUID | None = None,
) -> tuple[UUID, str]:
    """A new endpoint for `events` (none: all public ones). Returns its id and its secret, shown this once.

    `endpoint_id`: made before, for an idempotency key.
    Raises BadUrl, NotPublic, UnknownEvent, TooManyEndpoints.
    """
    existing = connection.execute(
        select(func.count()).where(
            ENDPOINTS.c.merchant_id == merchant_id, ENDPOINTS.c.live == live, ENDPOINTS.c.deleted_at.is_(None)
        )
    ).scalar_one()
    if existing >= MOST_ENDPOINTS:
        raise TooManyEndpoints(most=MOST_ENDPOINTS)
    endpoint_id, secret = endpoint_id or uuid7(), os.urandom(32)
    row = {
        "id": endpoint_id,
        "merchant_id": merchant_id,
        "live": live,
        "url": checked_url(url),
        "description": description,
        "events": _known(events),
        "secret_sealed": vault.seal(secret, CONTEXT),
        "active": True,
        "created_at": now(),
    }
    connection.execute(insert(ENDPOINTS).values(row))
    _told("endpoint.added", row, actor, url=url, events=row["events"])
    return endpoint_id, shown(secret)


def change_endpoint(
    connection: Connection,
    *,
    endpoint_id: UUID,
    actor: str,
    url: str | None = None,
    description: str | None = None,
    events: Sequence[str] | None = None,
    active: bool | None = None,
) -> Mapping[str, Any]:
    """Changes what is given; None leaves it. Switching on starts with a clean account of failures.

    Returns the row. Raises NotFound, BadUrl, NotPublic, UnknownEvent.
    """
    row = held(connection, endpoint_id)
    values: dict[str, Any] = {}
    if url is not None and url != row["url"]:
        values["url"] = checked_url(url)
    if description is not None:
        values["description"] = description
    if events is not None:
        values["events"] = _known(events)
    if active is not None and active != row["active"]:
        values |= {"active": active, "disabled_reason": None if active else actor}
        values |= {"failing_since": None, "warned_at": None} if active else {}
    values = {name: value for name, value in values.items() if row[name] != value}
    if values:
        connection.execute(update(ENDPOINTS).where(ENDPOINTS.c.id == endpoint_id).values(values))
        before = {name: row[name] for name in values}
        _told("endpoint.changed", row, actor, changed=sorted(values), before=before, after=values)
    if active is False:
        give_up(connection, endpoint_id, "endpoint switched off")
    return {**row, **values}


def delete_endpoint(connection: Connection, *, endpoint_id: UUID, actor: str) -> None:
    """Nothing is sent any more; deliveries stay as a record. Raises NotFound."""
    row = held(connection, endpoint_id)
    connection.execute(update(ENDPOINTS).where(ENDPOINTS.c.id == endpoint_id).values(deleted_at=now(), active=False))
    give_up(connection, endpoint_id, "endpoint deleted")
    _told("endpoint.deleted", row, actor, url=row["url"])


def rotate_secret(connection: Connection, *, endpoint_id: UUID, actor: str) -> str:
    """A new secret, shown this once. For 24 h deliveries carry a signature of the old one too. Raises NotFound."""
    row = held(connection, endpoint_id)
    secret = os.urandom(32)
    connection.execute(
        update(ENDPOINTS)
        .where(ENDPOINTS.c.id == endpoint_id)
        .values(
            secret_sealed=vault.seal(secret, CONTEXT),
            old_secret_sealed=row["secret_sealed"],
            old_secret_until=now() + OLD_SECRET_LIVES,
        )
    )
    _told("endpoint.secret_rotated", row, actor)
    return shown(secret)


def send_test(connection: Connection, *, endpoint_id: UUID, actor: str, delivery_id: UUID | None = None) -> UUID:
    """Sends an `endpoint.test` to this endpoint alone. Returns the delivery's id. Raises NotFound, EndpointInactive.

    `delivery_id`: made before, for an idempotency key.
    """
    row = held(connection, endpoint_id)
    if not row["active"]:
        raise EndpointInactive()
    event_id = _told(TEST_EVENT, row, actor, audience="internal", url=row["url"])
    delivery_id = delivery_id or uuid7()
    connection.execute(
        insert(DELIVERIES).values(
            id=delivery_id,
            merchant_id=row["merchant_id"],
            live=row["live"],
            endpoint_id=endpoint_id,
            event_id=event_id,
            position=0,
            due_at=now(),
            created_at=now(),
        )
    )
    transaction().after_commit.append(lambda: queue.wake("deliver_webhooks"))
    return delivery_id


def held(connection: Connection, endpoint_id: UUID) -> Mapping[str, Any]:
    """Locks an endpoint. Raises NotFound, also for a deleted one."""
    row = (
        connection.execute(
            select(ENDPOINTS).where(ENDPOINTS.c.id == endpoint_id, ENDPOINTS.c.deleted_at.is_(None)).with_for_update()
        )
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound()
    return dict(row)


def give_up(connection: Connection, endpoint_id: UUID, why: str) -> None:
    """What still waits for this endpoint fails; it can be replayed."""
    connection.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.endpoint_id == endpoint_id, DELIVERIES.c.state == "pending")
        .values(state="failed", leased_until=None, lease=None, last_error=why)
    )


def shown(secret: bytes) -> str:
    return f"whsec_{base64.b64encode(secret).decode()}"


def _known(events: Sequence[str]) -> list[str]:
    for name in events:
        if name not in by_name():
            raise UnknownEvent(param="events", name=name)
    return list(dict.fromkeys(events))


def _told(name: str, row: Mapping[str, Any], actor: str, *, audience: Any = "staff", **data: Any) -> UUID:
    return tell(
        name,
        subject=("endpoint", row["id"]),
        merchant_id=row["merchant_id"],
        live=row["live"],
        audience=audience,
        data={"endpoint": public_id("whe", row["id"]), **data},
        actor=actor,
    )
