"""The sequencer and the seals.

One transaction at a time (an advisory transaction lock) takes committed events from the queue, gives
them the next gapless positions and chains an HMAC over each: seal = HMAC(key, previous seal + event).
The key lives outside the database, so who can write rows cannot forge the chain.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, insert, select, text

from app.config import settings
from app.core.db import ALL, atomic, reading, table_of
from app.core.events import Event, EventDetails, EventLog, EventQueue, canonical, details_digest, plain

_LOCK = 7_230_001
_SEALED_COLUMNS = (
    *("id", "merchant_id", "live", "name", "audience", "subject_type", "subject_id", "step"),
    *("payment_id", "payment_step", "actor", "data"),
)


def sequence(limit: int = 500) -> int:
    """Positions and seals up to `limit` waiting events. Returns how many."""
    with atomic(ALL) as connection:
        if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}).scalar():
            return 0  # another worker is sequencing
        waiting = (
            connection.execute(select(EventQueue.event_id).order_by(EventQueue.event_id).limit(limit)).scalars().all()
        )
        if not waiting:
            return 0
        rows = (
            connection.execute(select(table_of(Event)).where(Event.id.in_(waiting)).order_by(Event.id)).mappings().all()
        )
        position, seal = _last(connection)
        sealed = []
        for row in in_order(rows):
            position, seal = position + 1, seal_of(seal, dict(row))
            whose = {"merchant_id": row["merchant_id"], "live": row["live"], "public": row["audience"] == "public"}
            sealed.append({"position": position, "event_id": row["id"], "seal": seal, **whose})
        connection.execute(insert(EventLog), sealed)
        connection.execute(delete(EventQueue).where(EventQueue.event_id.in_(waiting)))
        return len(sealed)


def in_order(rows: Sequence[RowMapping]) -> list[RowMapping]:
    """By id (time), but a payment's events by their payment step, whatever the clocks of several hosts say."""
    ordered = list(rows)
    places: dict[UUID, list[int]] = {}
    for place, row in enumerate(ordered):
        if row["payment_id"] is not None and row["payment_step"] is not None:
            places.setdefault(row["payment_id"], []).append(place)
    for own in places.values():
        steps = sorted((ordered[place] for place in own), key=lambda row: row["payment_step"])  # stable
        for place, row in zip(own, steps, strict=True):
            ordered[place] = row
    return ordered


def _last(connection: Connection) -> tuple[int, bytes]:
    row = connection.execute(
        select(EventLog.position, EventLog.seal).order_by(EventLog.position.desc()).limit(1)
    ).first()
    return (row.position, row.seal) if row else (0, b"\0" * 32)


def seal_of(previous: bytes, event: Mapping[str, Any]) -> bytes:
    body = plain({name: event[name] for name in _SEALED_COLUMNS})
    body["happened_at"] = event["happened_at"].timestamp()
    body["details"] = event["details_digest"].hex() if event["details_digest"] else None
    return hmac.digest(settings().keys.seal, previous + canonical(body), hashlib.sha256)


def verify(batch: int = 5000) -> tuple[int, int | None]:
    """Reads the whole chain. Returns (events verified, first broken position or None)."""
    position, seal = 0, b"\0" * 32
    with reading(ALL) as connection:
        while True:
            rows = (
                connection.execute(
                    select(EventLog.position, EventLog.seal, table_of(Event), EventDetails.salt, EventDetails.body)
                    .join_from(EventLog, Event, Event.id == EventLog.event_id, isouter=True)
                    .join(EventDetails, EventDetails.event_id == Event.id, isouter=True)
                    .where(EventLog.position > position)
                    .order_by(EventLog.position)
                    .limit(batch)
                )
                .mappings()
                .all()
            )
            if not rows:
                return position, None
            for row in rows:
                if row["position"] != position + 1 or row["id"] is None:
                    return position, position + 1
                if row["salt"] is not None and details_digest(row["salt"], row["body"]) != row["details_digest"]:
                    return position, position + 1
                seal = seal_of(seal, dict(row))
                if not hmac.compare_digest(seal, row["seal"]):
                    return position, position + 1
                position += 1
