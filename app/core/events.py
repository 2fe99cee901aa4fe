"""Events: what happened, written in the transaction in which it happened.

`tell()` notes an event in the open `atomic()`; all of a transaction's events are written in one
statement just before its commit, after the reactions that belong into it (`together`). Numbers are
not commit order, so a sequencer (core/sequence.py) gives committed events their gapless position,
and everything that reads events in order reads positions.

Payloads hold ids, amounts and codes, never a secret; personal data goes into `details`, which can be
erased without breaking the sealed chain.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import structlog
from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import metrics, queue
from app.core.clock import now
from app.core.db import Model, Transaction, before_commit, table_of, transaction
from app.core.fast import add, flush
from app.core.ids import uuid7
from app.core.origin import origin

log = structlog.get_logger()

Audience = Literal["public", "staff", "internal"]


class Event(Model):
    """Append-only. `step` counts the subject's moves, `payment_step` those of its payment (order of webhooks)."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("subject_type", "subject_id", "step"),
        Index("ix_events_payment", "payment_id", "payment_step"),
        Index("ix_events_merchant", "merchant_id", "live", "id"),
        Index("ix_events_staff", "actor", "id", postgresql_where=text("actor LIKE 'staff:%'")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID | None]
    live: Mapped[bool | None]
    name: Mapped[str]
    audience: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    step: Mapped[int | None]
    payment_id: Mapped[UUID | None]
    payment_step: Mapped[int | None]
    actor: Mapped[str]
    data: Mapped[dict[str, Any]]
    details_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    happened_at: Mapped[datetime]


class EventDetails(Model):
    """Personal data of an event, with its salt. Erasing the row erases both; the digest in `events` stays."""

    __tablename__ = "event_details"
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID | None]
    live: Mapped[bool | None]
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[dict[str, Any]]


class EventQueue(Model):
    """Events without a position yet; filled by a trigger on `events`, emptied by the sequencer."""

    __tablename__ = "event_queue"
    event_id: Mapped[UUID] = mapped_column(primary_key=True)


class EventLog(Model):
    """The gapless order of committed events, each sealed onto the one before it. Append-only.

    Whose it is, and whether it is public, stands here again: a merchant reads its own in this order.
    """

    __tablename__ = "event_log"
    __table_args__ = (Index("ix_event_log_public", "merchant_id", "live", "position", postgresql_where=text("public")),)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    seal: Mapped[bytes] = mapped_column(LargeBinary)
    merchant_id: Mapped[UUID | None]
    live: Mapped[bool | None]
    public: Mapped[bool] = mapped_column(default=False, server_default=text("false"))


EVENTS, EVENT_DETAILS = table_of(Event), table_of(EventDetails)
STAFF = "staff:"  # what the actor begins with when a person of ours did it
KEY = "key:"  # or a merchant's program


def tell(
    name: str,
    *,
    subject: tuple[str, UUID],
    merchant_id: UUID | None,
    live: bool | None,
    audience: Audience = "public",
    step: int | None = None,
    payment_id: UUID | None = None,
    payment_step: int | None = None,
    data: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    actor: str = "",
    about: Mapping[str, Any] | None = None,
) -> UUID:
    """Notes an event in the open transaction and returns its id. `step=None`: an audit event such as a read.

    `about` is the subject's row for `together` reactions; it is not stored. What staff and API keys do
    carries where it came from.
    """
    event_id = uuid7()
    told = transaction().told
    # Of a program it is enough once in a transaction: a payment tells several events in one, and each row costs.
    if actor.startswith(STAFF) or (actor.startswith(KEY) and not any(one["actor"] == actor for one in told)):
        details = {**origin(), **(details or {})}
    told.append(
        {
            "id": event_id,
            "merchant_id": merchant_id,
            "live": live,
            "name": name,
            "audience": audience,
            "subject_type": subject[0],
            "subject_id": subject[1],
            "step": step,
            "payment_id": payment_id,
            "payment_step": payment_step,
            "actor": actor,
            "data": plain(data or {}),
            "details": plain(details) if details else None,
            "about": about or {},
            "happened_at": now(),
        }
    )
    return event_id


def plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """UUIDs and dates as text, so that what is stored and sealed is exactly what JSON gives back."""
    return {key: _plain(value) for key, value in data.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, UUID | datetime | date):
        return value.isoformat() if not isinstance(value, UUID) else str(value)
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def details_digest(salt: bytes, body: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(salt + canonical(body)).digest()


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(body: Mapping[str, Any]) -> bytes:
    return _CANONICAL.encode(body).encode()


@before_commit
def _write_events(work: Transaction) -> None:
    """Runs the `together` reactions, then writes everything that was told."""
    from app.core.reactions import react_together  # reactions tell events themselves

    react_together(work)
    if not work.told:
        flush()
        return
    details = []
    for row in work.told:
        body = row.pop("details")
        row.pop("about")
        row["details_digest"] = None
        if body:
            salt = os.urandom(16)
            row["details_digest"] = details_digest(salt, body)
            details.append(
                {
                    "event_id": row["id"],
                    "merchant_id": row["merchant_id"],
                    "live": row["live"],
                    "salt": salt,
                    "body": body,
                }
            )
    for row in work.told:
        add(EVENTS, row)
    for row in details:
        add(EVENT_DETAILS, row)
    flush()
    work.after_commit.append(lambda: _count(work))
    work.after_commit.append(lambda: queue.wake("relay_events"))


def _count(work: Transaction) -> None:
    for row in work.told:
        metrics.count(
            "zahlwerk_events_total",
            event=row["name"],
            provider=str(row["data"].get("provider") or ""),
            live="" if row["live"] is None else str(row["live"]).lower(),
        )
