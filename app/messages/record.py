"""`record()`: what became of claims, when they are due again, and what that means for those behind them."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from app.core.clock import now
from app.messages.outbox import HOLDS_BACK_FOR, Result

# Seconds after the first, second, ... failure; the last one again and again.
PATIENCE = (5, 30, 120, 600, 1800, 3600, 7200, 14400)
GIVE_UP_AFTER = timedelta(hours=72)

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
