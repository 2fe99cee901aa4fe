"""Captures by date, and automatic ones that a crash (or a late yes) left undone.

A capture that was declined is not tried again by itself; one that provably was not sent is, each time
after a longer while. Two of these at once capture once: capture() locks and reserves.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import structlog
from flask import Flask
from sqlalchemy import text

from app.core.db import ALL, reading
from app.core.errors import Refusal
from app.core.ids import public_id
from app.payments.capture import capture

log = structlog.get_logger()

_ACTOR = "job:capture_due"

# Dates are compared where the merchant is, in the merchant's business time; leases and retries run in real time.
_DUE = text(
    """
    SELECT p.id, p.merchant_id, p.live
    FROM payments p
    JOIN merchants m ON m.id = p.merchant_id
    JOIN authorisations a ON a.payment_id = p.id AND a.is_open AND NOT a.held_for_review
    CROSS JOIN LATERAL (SELECT now() + make_interval(secs => m.clock_offset_seconds) AS now) business
    LEFT JOIN LATERAL (
        SELECT count(*) AS tries, max(o.created_at) AS last, bool_or(o.state <> 'failed') AS answered
        FROM operations o WHERE o.payment_id = p.id AND o.kind = 'capture'
    ) before ON true
    WHERE p.status = 'authorised' AND p.capture_pending + p.cancel_pending = 0
      AND (a.expires_at IS NULL OR a.expires_at > business.now)
      AND (p.capture_mode = 'automatic' AND p.updated_at < now() - interval '60 seconds'
           OR p.capture_mode = 'scheduled' AND p.capture_on <= (business.now AT TIME ZONE m.timezone)::date)
      AND NOT coalesce(before.answered, false)
      AND (before.tries = 0 OR before.last < now() - interval '1 minute' * power(2, least(before.tries, 8)))
    ORDER BY p.capture_on NULLS FIRST, p.id
    LIMIT :limit
    """
)


def due(limit: int) -> Sequence[tuple[UUID, UUID, bool]]:
    """Payments to capture now: (id, merchant, live)."""
    with reading(ALL) as connection:
        rows = connection.execute(_DUE, {"limit": limit}).all()
    return [(row.id, row.merchant_id, row.live) for row in rows]


def capture_due(app: Flask, limit: int = 100, threads: int = 32) -> int:
    """Captures everything that is due, many at a time. Returns how many were tried."""
    found = due(limit)

    def one(payment: tuple[UUID, UUID, bool]) -> None:
        payment_id, merchant_id, live = payment
        with app.app_context():
            try:
                capture(merchant_id=merchant_id, live=live, payment_id=payment_id, actor=_ACTOR, final=True)
            except Refusal as refusal:  # somebody was faster, or it has just expired
                log.info("capture_not_due", payment=public_id("pay", payment_id), code=refusal.code)
            except Exception as error:
                log.error("capture_due_failed", payment=public_id("pay", payment_id), error=repr(error))

    if found:
        with ThreadPoolExecutor(min(threads, len(found))) as pool:
            list(pool.map(one, found))
    return len(found)
