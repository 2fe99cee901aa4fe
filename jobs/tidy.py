"""Removes what nobody needs any more: old runs of jobs, what sent mails said, old idempotency keys."""

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, tuple_

from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.idempotency import IdempotencyKey
from app.core.queue import DEFAULT
from app.core.runs import JobRun
from app.messages.send_mails import clear_sent

EVERY = 3600
QUEUE = DEFAULT
KEEP_RUNS = timedelta(days=7)
KEEP_KEYS = timedelta(days=30)


def run(limit: int) -> int:
    many = 50 * limit
    return max(_runs(many), _keys(many), clear_sent(many))


def _runs(limit: int) -> int:
    old = select(JobRun.name, JobRun.slot).where(JobRun.slot < now() - KEEP_RUNS).limit(limit)
    with atomic(ALL) as connection:
        return connection.execute(delete(JobRun).where(tuple_(JobRun.name, JobRun.slot).in_(old))).rowcount


def _keys(limit: int) -> int:
    key = (IdempotencyKey.merchant_id, IdempotencyKey.live, IdempotencyKey.key)
    old = select(*key).where(IdempotencyKey.created_at < now() - KEEP_KEYS).limit(limit)
    with atomic(ALL) as connection:
        return connection.execute(delete(IdempotencyKey).where(tuple_(*key).in_(old))).rowcount


if TYPE_CHECKING:
    from jobs import tidy as _me
    from jobs.kinds import Sweep

    _: Sweep = _me
