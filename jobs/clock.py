"""The clock: `python -m jobs.clock` calls every job at its time. Several clocks are harmless.

It has no memory and no database: slots follow from the time alone (jobs/schedule.py), and whether one was
done already is for run_job() to see. So nothing is lost when it, Redis or PostgreSQL is restarted; calls
that could not be made are made when Redis is back.
"""

import signal
import sys

import redis
import structlog

from app.config import settings
from app.core import queue
from app.core.clock import now
from app.core.logs import configure_logs
from jobs import JOBS, pulse, schedule
from jobs._stopping import STOPPING
from jobs.run import TIMEOUT

log = structlog.get_logger()

_TICK_SECONDS = 0.5


def call(name: str) -> None:
    """Puts the call of a job into its queue. Raises redis.RedisError.

    A call that waited for two of its periods has been overtaken: it fades, so that workers which come back
    after a long time do not wade through old calls.
    """
    job = JOBS[name]
    queue.queue(job.QUEUE).enqueue_call(
        queue.RUN,
        (name, schedule.slot(job, now()).isoformat()),
        timeout=TIMEOUT,
        ttl=max(60, 2 * schedule.calls_every(job)),
        result_ttl=0,
        failure_ttl=queue.FAILURES_ARE_KEPT,
    )


def tick(called: dict[str, int]) -> None:
    """Calls what is due and was not called yet by this clock; `called` is name -> number of the last call."""
    for name, job in JOBS.items():
        number = schedule.call_number(job, now())
        if called.get(name) == number:
            continue
        try:
            call(name)
        except redis.RedisError as error:
            log.warning("clock_waits_for_redis", error=type(error).__name__)
            return
        called[name] = number


def main() -> int:
    configure_logs(settings().log_level)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: STOPPING.set())
    log.info("clock_ready", jobs=len(JOBS))
    called: dict[str, int] = {}
    beaten = 0.0
    while not STOPPING.is_set():
        tick(called)
        if now().timestamp() - beaten > 10:
            pulse.beat("clock")
            beaten = now().timestamp()
        STOPPING.wait(_TICK_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
