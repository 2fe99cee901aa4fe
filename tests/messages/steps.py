"""Steps of stories: an endpoint is added, things happen, they are sent out, time passes."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import text

from app.core.db import ALL, atomic, of, reading
from app.core.events import tell
from app.core.ids import uuid7
from app.messages.deliver import deliver
from app.messages.endpoints import add_endpoint
from app.messages.events import by_name
from app.messages.relay import relay


def endpoint(merchant_id: UUID, url: str, *events: str) -> tuple[UUID, str]:
    """A new endpoint of a merchant: id and secret."""
    with atomic(of(merchant_id, False)) as connection:
        return add_endpoint(connection, merchant_id=merchant_id, live=False, url=url, events=events, actor="test")


def happen(merchant_id: UUID, *names: str, payment_id: UUID | None = None) -> list[UUID]:
    """Tells public events of one payment, each in a transaction of its own. Returns their ids."""
    ids = []
    for number, name in enumerate(names, 1):
        with atomic(of(merchant_id, False)):
            ids.append(
                tell(
                    name,
                    subject=("operation", uuid7()),
                    step=1,
                    merchant_id=merchant_id,
                    live=False,
                    payment_id=payment_id,
                    payment_step=number if payment_id else None,
                    data=by_name()[name].EXAMPLE,
                    actor="test",
                )
            )
    return ids


def send_out(**options: Any) -> int:
    """Relays what was told and delivers it, as the workers do. Returns how many were delivered."""
    relay_all()
    return deliver(current_app._get_current_object(), **options)  # type: ignore[attr-defined]


def relay_all() -> None:
    while relay():
        pass


def time_passes(length: timedelta, merchant_id: UUID) -> None:
    """Everything that waits for this merchant has waited so much longer."""
    with atomic(ALL) as connection:
        for table, columns in (
            ("deliveries", ("due_at", "created_at", "leased_until")),
            ("webhook_endpoints", ("failing_since", "last_success_at", "warned_at", "old_secret_until")),
            ("mails", ("due_at", "created_at", "leased_until", "sent_at")),
        ):
            shifted = ", ".join(f"{column} = {column} - CAST(:length AS interval)" for column in columns)
            connection.execute(
                text(f"UPDATE {table} SET {shifted} WHERE merchant_id = :merchant"),
                {"length": length, "merchant": merchant_id},
            )


def waiting(merchant_id: UUID) -> list[dict[str, Any]]:
    """The merchant's deliveries in the order of their events."""
    with reading(ALL) as connection:
        rows = connection.execute(
            text("SELECT * FROM deliveries WHERE merchant_id = :merchant ORDER BY position, replay"),
            {"merchant": merchant_id},
        )
        return [dict(row) for row in rows.mappings()]


def nothing_waits() -> None:
    """What earlier tests of the same database left behind is given up."""
    with atomic(ALL) as connection:
        connection.execute(text("UPDATE deliveries SET state = 'failed', lease = NULL WHERE state = 'pending'"))
        connection.execute(text("UPDATE mails SET state = 'failed', lease = NULL WHERE state = 'pending'"))
