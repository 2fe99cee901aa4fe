"""`run_job()`: what RQ executes, by name. The job itself stands on the shelf."""

import time
from datetime import datetime, timedelta
from functools import cache

import structlog
from flask import Flask, current_app, has_app_context
from sqlalchemy import update

from app.core import metrics, queue, runs
from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.logs import about, nothing_yet
from jobs import JOBS, schedule
from jobs._stopping import STOPPING

log = structlog.get_logger()

LIMIT = 100  # things per call of run(); leases are made for it: 100 calls of 10 s by 32 threads end within 60 s
SECONDS = 20.0  # after which other jobs get their turn
TIMEOUT = 300  # RQ's; what takes longer hangs
# Longer than any run: a slot is free again only when its worker is surely dead.
LEASE_SECONDS = TIMEOUT + 30


def run_job(name: str, slot: str | None = None) -> str:
    """Runs a job until nothing is left to do, for about 20 s at most. Returns what came of it.

    Without `slot` it was woken. With one the clock called: then it runs for the slot that is due *now*, if
    nobody has done that yet, and the slots it overtook are not made up. Raises what the job raised.
    """
    with application().app_context():
        nothing_yet()
        about(actor=f"job:{name}")
        queue.started(name)
        if slot is None:
            return _work(name)
        due = schedule.slot(JOBS[name], now())
        after = schedule.next_slot(JOBS[name], due)
        with atomic(ALL) as connection:
            if not runs.take(connection, name, due, LEASE_SECONDS, next_slot=after):
                return "already done"
        try:
            result = _work(name)
        except BaseException as error:
            _failed(name, due, error)
            raise
        with atomic(ALL) as connection:
            runs.finish(connection, name, due, result)
        return result


def _work(name: str) -> str:
    """Does the job, and counts it."""
    try:
        result = _repeated(name)
    except BaseException:
        metrics.count("zahlwerk_jobs_total", job=name, result="failed")
        raise
    metrics.count("zahlwerk_jobs_total", job=name, result="done")
    return result


def _repeated(name: str) -> str:
    """Calls run() again while it does as much as it may."""
    begun, done = time.monotonic(), 0
    while True:
        result = JOBS[name].run(LIMIT)
        if isinstance(result, str):
            return result
        done += result
        if result < LIMIT:
            return str(done)
        if STOPPING.is_set() or time.monotonic() - begun > SECONDS:
            queue.wake(name)
            return f"{done}, and more to do"


def _failed(name: str, slot: datetime, error: BaseException) -> None:
    """Notes the error at the slot, which stays open: it is tried again when the lease is over."""
    log.error("job_failed", job=name, error=type(error).__name__)
    try:
        with atomic(ALL) as connection:
            connection.execute(
                update(runs.JobRun)
                .where(runs.JobRun.name == name, runs.JobRun.slot == slot, runs.JobRun.finished_at.is_(None))
                .values(result=f"failed: {type(error).__name__}", leased_until=now() + timedelta(seconds=60))
            )
    except Exception as second:  # the database is away: the lease ends by itself
        log.error("job_failure_not_noted", job=name, error=type(second).__name__)


def application() -> Flask:
    """The application of this process; inside a test, the test's."""
    return current_app._get_current_object() if has_app_context() else _made()  # type: ignore[attr-defined]


@cache
def _made() -> Flask:
    from wsgi import create_app  # only here: importing jobs must not make an application

    return create_app()
