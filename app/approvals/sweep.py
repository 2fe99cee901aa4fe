"""What nobody decided about in time, what changed meanwhile, and what was approved by a process that died."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import select

from app.approvals.ask import REQUESTS
from app.approvals.decide import close, outdated, read, settle
from app.core.clock import now
from app.core.db import ALL, atomic, reading

log = structlog.get_logger()

_SETTLED_BY_ITSELF = timedelta(seconds=90)


def sweep(limit: int) -> int:
    """Closes and settles up to `limit` requests. Returns how many changed."""
    with reading(ALL) as connection:
        pending = select(REQUESTS.c.id).where(REQUESTS.c.state == "pending").order_by(REQUESTS.c.expires_at)
        left = select(REQUESTS.c.id).where(
            REQUESTS.c.state == "approved", REQUESTS.c.decided_at < now() - _SETTLED_BY_ITSELF
        )
        open_ = connection.execute(pending.limit(limit)).scalars().all()
        approved = connection.execute(left.limit(limit)).scalars().all()
    changed = sum(_close_if_over(request_id) for request_id in open_)
    return changed + sum(settle(request_id, ALL)["state"] != "approved" for request_id in approved)


def _close_if_over(request_id: UUID) -> bool:
    with atomic(ALL) as connection:
        request = read(connection, request_id, lock=True)
        if request["state"] != "pending":
            return False
        to = "expired" if request["expires_at"] <= now() else "stale" if outdated(connection, request) else None
        if to is None:
            return False
        close(connection, request, to, actor="job:approvals")
        return True
