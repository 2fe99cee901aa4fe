"""A worker: `python -m jobs.worker default` or `python -m jobs.worker deliveries`.

One queue per process, so that RQ moves calls with BLMOVE and a crash between taking and starting loses
none. Jobs run in this process, one after the other. RQ only wakes: while Redis is away, the worker runs
the sweeps of its queue by itself. SIGTERM ends it after the job at hand, which is told to hurry.
"""

import logging
import signal
import sys
import time
from types import FrameType
from typing import NoReturn

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.serializers import JSONSerializer
from rq.timeouts import UnixSignalDeathPenalty
from rq.worker import SimpleWorker

from app.config import settings
from app.core import skew
from app.core.clock import now
from app.core.problem import DATABASE_AWAY
from app.core.queue import DEFAULT, DELIVERIES
from jobs import JOBS, pulse, run, schedule
from jobs._stopping import STOPPING

log = structlog.get_logger()

_TRY_AGAIN_SECONDS = 1.0
_LOOK_AT_THE_CLOCK_SECONDS = 10.0


class RedisAway(Exception):
    """Takes the worker out of RQ's own loop of ever longer waiting."""


class OutOfTime(BaseException):
    """A job hung until RQ's limit. Not an Exception: no broad `except` in a job may swallow it."""


class _Deadline(UnixSignalDeathPenalty):
    def handle_death_penalty(self, signum: int, frame: FrameType | None) -> NoReturn:
        raise OutOfTime(f"longer than {self._timeout} s")


class Worker(SimpleWorker):
    death_penalty_class = _Deadline

    def heartbeat(self, timeout: int | None = None, pipeline=None) -> None:  # type: ignore[override]
        try:
            super().heartbeat(timeout, pipeline)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise RedisAway(str(error)) from error
        if pipeline is None:
            pulse.beat(f"worker {self.queues[0].name}")

    def request_stop(self, signum: int, frame: FrameType | None) -> None:  # type: ignore[override]
        STOPPING.set()
        super().request_stop(signum, frame)

    def subscribe(self) -> None:
        """No commands by pubsub: its thread would outlive every loss of the connection."""


def work(queue_name: str) -> None:
    """Works until asked to stop, whatever becomes of Redis."""
    connection = redis.Redis.from_url(
        settings().redis_url, socket_connect_timeout=2, health_check_interval=15, retry=Retry(NoBackoff(), 1)
    )
    while not STOPPING.is_set():
        try:
            worker = Worker(
                [queue_name],
                connection=connection,
                serializer=JSONSerializer,
                worker_ttl=30,
                maintenance_interval=15,
                job_monitoring_interval=5,
            )
            worker.work(logging_level="WARNING")  # RQ takes the signals over for as long as this lasts
        except (redis.RedisError, RedisAway) as error:
            log.error("redis_away", error=type(error).__name__)
        finally:
            _listen_for_signals()
        sweep_until_redis_is_back(queue_name, connection)


def sweep_until_redis_is_back(queue_name: str, connection: redis.Redis) -> None:
    """The clock's work for one queue. Slots are leased in the database, so other workers do not repeat it."""
    called: dict[str, int] = {}
    while not STOPPING.is_set():
        try:
            connection.ping()
            return
        except redis.RedisError:
            pass
        for name, job in JOBS.items():
            number = schedule.call_number(job, now())
            if queue_name == job.QUEUE and called.get(name) != number and not STOPPING.is_set():
                called[name] = number
                _run_alone(name)
        STOPPING.wait(_TRY_AGAIN_SECONDS)


def _run_alone(name: str) -> None:
    try:
        run.run_job(name, now().isoformat())
    except Exception as error:  # noted by run_job; the other sweeps have their turn
        log.error("sweep_failed", job=name, error=repr(error))


def wait_for_the_right_time() -> None:
    """Nothing is leased by a clock that is wrong: until it is put right, the work is left to other hosts."""
    while not STOPPING.is_set():
        try:
            if skew.is_right():
                return
        except DATABASE_AWAY:
            return  # nothing is leased without it either
        STOPPING.wait(_LOOK_AT_THE_CLOCK_SECONDS)


def _listen_for_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: STOPPING.set())


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in (DEFAULT, DELIVERIES):
        print(f"usage: python -m jobs.worker {DEFAULT}|{DELIVERIES}", file=sys.stderr)
        return 2
    _listen_for_signals()
    begun = time.monotonic()
    application = run.application()  # configures the logs, too
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    with application.app_context():
        wait_for_the_right_time()
    log.info("worker_ready", queue=arguments[0], seconds=round(time.monotonic() - begun, 1))
    work(arguments[0])
    log.info("worker_ended", queue=arguments[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
