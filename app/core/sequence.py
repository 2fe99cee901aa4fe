"""The sequencer and the seals.

One transaction at a time (an advisory transaction lock) takes committed events from the queue, gives
them the next gapless positions and chains a seal (seal.py) over each. Its key lives outside the database, so who
can write rows cannot forge the chain; verify.py reads it.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, insert, select, text

from app.core.db import ALL, atomic, table_of
from app.core.events import Event, EventLog, EventQueue
from app.core.seal import START, seal_of
from app.core.verify import verify as _verified

_LOCK = 7_230_001


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
    return (row.position, row.seal) if row else (0, START)


def verify() -> tuple[int, int | None]:
    """(events that fit together, first broken position or None); verify.py says more."""
    found = _verified()
    return found.events, found.broken.position if found.broken else None
