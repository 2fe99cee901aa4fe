"""The outbox of webhooks: who may send what now, and what became of it.

A claim is a lease, taken and committed before anything is sent; only its holder may record. Of one
endpoint and payment at most one delivery is under way, the earliest first; one that fails holds back
the later ones of its payment for an hour at most. Claims are serialised by a lock of the transaction.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from app.core import vault
from app.core.clock import now
from app.core.ids import uuid7
from app.messages.endpoints import CONTEXT
from app.messages.webhook import Outcome, Webhook

# A dead worker's deliveries are free again after this; with the sweep (10 s) they go out within 60 s.
LEASE = timedelta(seconds=40)
# Seconds after the first, second, ... failure; the last one again and again.
PATIENCE = (5, 30, 120, 600, 1800, 3600, 7200, 14400)
GIVE_UP_AFTER = timedelta(hours=72)
HOLDS_BACK_FOR = timedelta(hours=1)
_LOCK = 7_230_003


@dataclass(frozen=True, slots=True)
class Claim:
    id: UUID
    lease: UUID
    endpoint_id: UUID
    payment_id: UUID | None
    attempts: int
    created_at: datetime
    webhook: Webhook


@dataclass(frozen=True, slots=True)
class Result:
    """`outcome` None: not tried after all, to be claimed again."""

    claim: Claim
    outcome: Outcome | None


def lock(connection: Connection) -> None:
    """One claimer or recorder at a time, over all workers, until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


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
            secrets=tuple(_opened(secret) for secret in secrets),
        ),
    )


@lru_cache(maxsize=500)
def _opened(sealed: bytes) -> bytes:
    return vault.unseal(sealed, CONTEXT)


_RECORD = text(
    """
    UPDATE deliveries d
    SET state = r.state, attempts = d.attempts + r.tries, due_at = coalesce(r.due_at, d.due_at),
        leased_until = NULL, lease = NULL,
        last_status = CASE WHEN r.tries > 0 THEN r.status ELSE d.last_status END,
        last_error = CASE WHEN r.tries > 0 THEN r.error ELSE d.last_error END,
        last_duration_ms = CASE WHEN r.tries > 0 THEN r.milliseconds ELSE d.last_duration_ms END,
        delivered_at = CASE WHEN r.state = 'delivered' THEN CAST(:now AS timestamptz) END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS uuid[]), CAST(:states AS text[]), CAST(:tries AS int[]),
                CAST(:dues AS timestamptz[]), CAST(:statuses AS int[]), CAST(:errors AS text[]),
                CAST(:milliseconds AS int[]))
         AS r (id, lease, state, tries, due_at, status, error, milliseconds)
    WHERE d.id = r.id AND d.lease = r.lease AND d.state = 'pending'
    RETURNING d.id
    """
)


def record(connection: Connection, results: Sequence[Result]) -> list[Result]:
    """Writes down what became of claims. Returns those that still were ours to record."""
    if not results:
        return []
    at = now()
    verdicts = [_verdict(result, at) for result in results]
    recorded = set(
        connection.execute(
            _RECORD,
            {
                "now": at,
                "ids": [result.claim.id for result in results],
                "leases": [result.claim.lease for result in results],
                "states": [state for state, _ in verdicts],
                "dues": [due for _, due in verdicts],
                "tries": [1 if result.outcome else 0 for result in results],
                "statuses": [result.outcome and result.outcome.status for result in results],
                "errors": [result.outcome and result.outcome.error for result in results],
                "milliseconds": [int(result.outcome.seconds * 1000) if result.outcome else None for result in results],
            },
        ).scalars()
    )
    ours = [result for result in results if result.claim.id in recorded]
    _move_followers(connection, ours, dict(zip((result.claim.id for result in results), verdicts, strict=True)), at)
    return ours


def _verdict(result: Result, at: datetime) -> tuple[str, datetime | None]:
    """The delivery's next state, and when it is due again."""
    if result.outcome is None:
        return "pending", at
    if result.outcome.delivered:
        return "delivered", None
    end = result.claim.created_at + GIVE_UP_AFTER
    if at >= end:
        return "failed", None
    patience = PATIENCE[min(result.claim.attempts, len(PATIENCE) - 1)]
    return "pending", min(end, at + timedelta(seconds=patience * random.uniform(0.8, 1.2)))  # noqa: S311 - jitter


# What waits behind a failing delivery need not be looked at before that one is due or its hour is over ...
_HOLD_BACK = text(
    """
    UPDATE deliveries d SET due_at = r.due_at
    FROM unnest(CAST(:endpoints AS uuid[]), CAST(:payments AS uuid[]), CAST(:dues AS timestamptz[]))
         AS r (endpoint_id, payment_id, due_at)
    WHERE d.payment_id = r.payment_id AND d.endpoint_id IS NOT DISTINCT FROM r.endpoint_id AND d.state = 'pending'
      AND d.attempts = 0 AND d.due_at < r.due_at
    """
)
# ... and goes out at once when it got through after all.
_LET_GO = text(
    """
    UPDATE deliveries d SET due_at = :now
    FROM unnest(CAST(:endpoints AS uuid[]), CAST(:payments AS uuid[])) AS r (endpoint_id, payment_id)
    WHERE d.payment_id = r.payment_id AND d.endpoint_id IS NOT DISTINCT FROM r.endpoint_id AND d.state = 'pending'
      AND d.attempts = 0 AND d.due_at > :now
    """
)


def _move_followers(
    connection: Connection,
    results: Sequence[Result],
    verdicts: Mapping[UUID, tuple[str, datetime | None]],
    at: datetime,
) -> None:
    held: list[tuple[UUID, UUID, datetime]] = []
    free: list[tuple[UUID, UUID]] = []
    for result in results:
        claim, (state, due) = result.claim, verdicts[result.claim.id]
        if claim.payment_id is None or result.outcome is None:
            continue
        held_until = min(due, claim.created_at + HOLDS_BACK_FOR) if due else at
        if state == "pending" and held_until > at:
            held.append((claim.endpoint_id, claim.payment_id, held_until))
        elif state != "pending" and claim.attempts:
            free.append((claim.endpoint_id, claim.payment_id))
    if held:
        endpoints, payments, dues = (list(column) for column in zip(*held, strict=True))
        connection.execute(_HOLD_BACK, {"endpoints": endpoints, "payments": payments, "dues": dues})
    if free:
        endpoints, payments = (list(column) for column in zip(*free, strict=True))
        connection.execute(_LET_GO, {"endpoints": endpoints, "payments": payments, "now": at})
