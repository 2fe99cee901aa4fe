"""RQ as the wake-up call: the database is the truth, and a sweep finds what a lost call left behind."""

import functools
import time

import redis
import structlog
from rq import Queue
from rq.serializers import JSONSerializer

from app.config import settings

log = structlog.get_logger()

DELIVERIES = "deliveries"  # what is pressing: events and webhooks
DEFAULT = "default"  # everything else
FAILURES_ARE_KEPT = 7 * 86_400  # seconds: whoever was away for a weekend still finds them
RUN = "jobs.run.run_job"  # by name: nothing here imports a door

_QUEUE_OF = {"relay_events": DELIVERIES, "deliver_webhooks": DELIVERIES}


@functools.cache
def connection() -> redis.Redis:
    return redis.Redis.from_url(
        settings().redis_url, socket_timeout=2, socket_connect_timeout=1, health_check_interval=15
    )


@functools.cache
def queue(name: str) -> Queue:
    return Queue(name, connection=connection(), serializer=JSONSerializer)


# A Redis that hangs would cost every request its time-out; after a failure it is left alone for a while.
_PAUSE_SECONDS = 5.0
_silent_until = 0.0


def wake(job: str, *, once_per_seconds: float = 5.0) -> None:
    """Asks a worker to run `job` soon; at most one such call waits at a time (the job clears the mark when it starts).

    Never fails: without Redis the sweep does the work a little later.
    """
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        if connection().set(mark(job), b"1", nx=True, px=int(once_per_seconds * 1000)):
            queue(_QUEUE_OF.get(job, DEFAULT)).enqueue_call(
                RUN, (job,), timeout=300, result_ttl=0, failure_ttl=FAILURES_ARE_KEPT
            )
    except redis.RedisError as error:
        _silent_until = time.monotonic() + _PAUSE_SECONDS
        log.warning("wake_up_call_lost", job=job, error=type(error).__name__)


def started(job: str) -> None:
    """A job that starts takes the mark down first, so that a later call is not swallowed."""
    try:
        connection().delete(mark(job))
    except redis.RedisError:
        pass  # the mark ends by itself after seconds


def mark(job: str) -> str:
    return f"zahlwerk:wake:{job}"
