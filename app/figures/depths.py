"""How much waits, measured now and then: the queues of RQ, and what the database keeps for later."""

from collections.abc import Mapping

import redis
from sqlalchemy import Connection, text

from app.core import queue
from app.core.clock import now
from app.core.db import ALL, atomic, reading

# What the database keeps; each part reads a small table or a partial index.
_WAITING = text(
    """
    SELECT (SELECT count(*) FROM event_queue) AS events,
           (SELECT count(*) FROM deliveries WHERE state = 'pending' AND due_at <= :now) AS webhooks,
           (SELECT count(*) FROM mails WHERE state = 'pending' AND due_at <= :now) AS mails
    """
)

_NOTE = text(
    """
    INSERT INTO queue_depths (hour, queue, deepest, latest, measured_at)
    VALUES (date_trunc('hour', CAST(:now AS timestamptz), 'UTC'), :queue, :depth, :depth, :now)
    ON CONFLICT (hour, queue) DO UPDATE SET deepest = greatest(queue_depths.deepest, excluded.deepest),
        latest = excluded.latest, measured_at = excluded.measured_at
    """
)


def waiting() -> dict[str, int]:
    """What waits at this moment: jobs by queue, events without a position, webhooks and mails that are due."""
    with reading(ALL) as connection:
        found = {
            str(name): int(count)
            for name, count in connection.execute(_WAITING, {"now": now()}).mappings().one().items()
        }
    try:
        for name in (queue.DELIVERIES, queue.DEFAULT):
            found[f"jobs_{name}"] = queue.queue(name).count
    except redis.RedisError:
        pass  # nobody knows; what the database keeps is still worth noting
    return found


def measure() -> int:
    """Notes what waits now. Returns how many queues were measured."""
    depths = waiting()
    with atomic(ALL) as connection:
        note(connection, depths)
    return len(depths)


def note(connection: Connection, depths: Mapping[str, int]) -> None:
    """Keeps the deepest of the hour, and the last."""
    at = now()
    connection.execute(_NOTE, [{"now": at, "queue": name, "depth": depth} for name, depth in sorted(depths.items())])
