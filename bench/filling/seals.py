"""Positions and seals for the events that events.sql writes: the chain of app/core/sequence.py, in one go."""

import hashlib
import hmac
import random
from collections.abc import Iterator

import psycopg

_LOG = "COPY event_log (position, event_id, seal, merchant_id, live, public) FROM STDIN"
# Keys in the order of the alphabet, no spaces: what sequence.seal_of() hashes.
_BODIES = """
COPY (
    SELECT id, merchant_id, live, audience = 'public', format(
        '{"actor":"%s","audience":"%s","data":%s,"details":%s,"happened_at":%s,"id":"%s","live":%s,"merchant_id":"%s",'
        '"name":"%s","payment_id":"%s","payment_step":%s,"step":%s,"subject_id":"%s","subject_type":"%s"}',
        actor, audience, data, coalesce('"' || encode(digest, 'hex') || '"', 'null'), us / 1e6::float8, id,
        CASE WHEN live THEN 'true' ELSE 'false' END, merchant_id, name, payment_id, payment_step, step, subject_id,
        subject_type)
    FROM fill.told ORDER BY id
) TO STDOUT
"""


def seal(connection: psycopg.Connection, other: psycopg.Connection) -> None:
    """Appends them to the event log; `other` reads while this one writes."""
    from app.config import settings

    key = settings().keys.seal
    row = connection.execute("SELECT position, seal FROM event_log ORDER BY position DESC LIMIT 1").fetchone()
    position, last = row or (0, b"\0" * 32)
    with connection.cursor() as cursor, cursor.copy(_LOG) as log:
        for event_id, whose, body in _bodies(other):
            position += 1
            last = hmac.digest(key, last + body, hashlib.sha256)
            log.write(b"%d\t%b\t\\\\x%b\t%b\n" % (position, event_id, last.hex().encode(), whose))


def _bodies(connection: psycopg.Connection) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(id, whose it is as COPY wants it, what is sealed) of each event."""
    with connection.cursor() as cursor, cursor.copy(_BODIES) as rows:
        for row in rows:
            event_id, merchant_id, live, public, body = bytes(row).rstrip(b"\n").split(b"\t", 4)
            assert b"\\" not in body, body
            yield event_id, b"\t".join((merchant_id, live, public)), body


def wrong(count: int) -> int:
    """How many of `count` seals, drawn by lot, are not what the product computes from row and previous seal."""
    from sqlalchemy import select

    from app.core.db import ALL, reading, table_of
    from app.core.events import Event, EventLog
    from app.core.sequence import seal_of

    found = 0
    with reading(ALL) as connection:
        last = connection.execute(select(EventLog.position).order_by(EventLog.position.desc()).limit(1)).scalar() or 0
        for position in random.sample(range(2, last + 1), min(count, max(0, last - 1))):
            two = select(EventLog.seal, table_of(Event)).join_from(EventLog, Event, Event.id == EventLog.event_id)
            two = two.where(EventLog.position.in_((position - 1, position))).order_by(EventLog.position)
            before, row = connection.execute(two).mappings().all()
            found += seal_of(before["seal"], dict(row)) != row["seal"]
    return found
