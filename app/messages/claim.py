"""`claim()`: who may send what now."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, text

from app.core import vault
from app.core.clock import now
from app.core.ids import public_id, uuid7
from app.messages.endpoints import CONTEXT
from app.messages.outbox import HOLDS_BACK_FOR, LEASE, Claim
from app.messages.webhook import Webhook

log = structlog.get_logger()

# Per endpoint at most `room` more than it has under way (few for one that fails, so that it cannot hold
# all threads), and the endpoints take turns. "Before" means: first the live ones by position, then replays.
# IS NOT DISTINCT FROM cannot use an index: with it the planner can only find a payment's other deliveries by the
# payment, not by the endpoint, of which there may be a hundred thousand. (Without statistics it chose wrongly.)
_CLAIM = text(
    """
    WITH heads AS (
        SELECT head.id, head.due_at, row_number() OVER (PARTITION BY e.id ORDER BY head.due_at, head.position) AS turn
        FROM webhook_endpoints e
        LEFT JOIN unnest(CAST(:busy_ids AS uuid[]), CAST(:busy_counts AS int[]), CAST(:busy_mosts AS int[]))
             AS busy (id, count, most) ON busy.id = e.id
        CROSS JOIN LATERAL (
            SELECT d.id, d.due_at, d.position
            FROM deliveries d
            WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.due_at <= :now
              AND (d.leased_until IS NULL OR d.leased_until < :now)
              AND NOT EXISTS (
                SELECT 1 FROM deliveries o
                WHERE o.payment_id = d.payment_id AND o.endpoint_id IS NOT DISTINCT FROM d.endpoint_id
                  AND o.state = 'pending' AND o.id <> d.id
                  AND (o.leased_until >= :now OR ((o.attempts = 0 OR o.created_at > :held_since)
                       AND (o.replay > 0, o.position, o.replay) < (d.replay > 0, d.position, d.replay)))
              )
            ORDER BY d.due_at
            LIMIT greatest(0, CASE WHEN e.failing_since IS NULL THEN coalesce(busy.most, :most) ELSE :most_failing END
                              - coalesce(busy.count, 0))
        ) head
        WHERE e.active AND e.deleted_at IS NULL
    ), due AS (
        SELECT id FROM heads ORDER BY turn, due_at LIMIT :room
    ), claimed AS (
        UPDATE deliveries d SET leased_until = :until, lease = :lease FROM due WHERE d.id = due.id
        RETURNING d.id, d.endpoint_id, d.payment_id, d.event_id, d.attempts, d.created_at, d.position, d.replay
    )
    SELECT c.*, e.url, e.secret_sealed, e.old_secret_sealed, e.old_secret_until,
           v.name, v.happened_at, v.live, v.step, v.payment_step, v.data
    FROM claimed c JOIN webhook_endpoints e ON e.id = c.endpoint_id JOIN events v ON v.id = c.event_id
    ORDER BY c.replay, c.position
    """
)


def claim(
    connection: Connection,
    room: int,
    *,
    busy: Mapping[UUID, tuple[int, int]],
    most: int,
    most_failing: int,
    lease: timedelta = LEASE,
) -> list[Claim]:
    """Leases up to `room` deliveries that are due.

    An endpoint gets at most `most`, one that fails `most_failing`, less what it has under way. `busy` says that of
    the endpoints the caller is at work for: (under way, its own most).
    """
    at, lease_id = now(), uuid7()
    rows = (
        connection.execute(
            _CLAIM,
            {
                "busy_ids": list(busy),
                "busy_counts": [count for count, _ in busy.values()],
                "busy_mosts": [its_most for _, its_most in busy.values()],
                "now": at,
                "held_since": at - HOLDS_BACK_FOR,
                "most": most,
                "most_failing": most_failing,
                "room": room,
                "until": at + lease,
                "lease": lease_id,
            },
        )
        .mappings()
        .all()
    )
    return [_claimed(dict(row), lease_id, at) for row in rows]


def _claimed(row: Mapping[str, Any], lease_id: UUID, at: datetime) -> Claim:
    secrets = [row["secret_sealed"]]
    if row["old_secret_sealed"] and row["old_secret_until"] > at:
        secrets.append(row["old_secret_sealed"])
    return Claim(
        id=row["id"],
        lease=lease_id,
        endpoint_id=row["endpoint_id"],
        payment_id=row["payment_id"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        webhook=Webhook(
            url=row["url"],
            event={
                "id": row["event_id"],
                **{name: row[name] for name in ("name", "happened_at", "live", "step", "payment_step", "data")},
            },
            secrets=tuple(_all_that_open(secrets, row["endpoint_id"])),
        ),
    )


def _all_that_open(sealed: Iterable[bytes], endpoint_id: UUID) -> Iterator[bytes]:
    """Where none does (its key is gone), this endpoint's delivery fails like any other, and the others go out."""
    for secret in sealed:
        try:
            yield _opened(secret)
        except vault.CannotOpen:
            log.error("webhook_secret_cannot_be_opened", endpoint=public_id("whe", endpoint_id))


@lru_cache(maxsize=500)
def _opened(sealed: bytes) -> bytes:
    return vault.unseal(sealed, CONTEXT)
