"""Queues, workers, periodic jobs and what failed. The database is the truth; Redis only wakes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import redis
from flask_babel import gettext as _
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer
from sqlalchemy import RowMapping, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from werkzeug.wrappers import Response as AnyResponse

from admin import health, words
from admin.here import connection
from admin.office import url
from admin.screen import Entry, Screen, go, page, say
from admin.told import told
from app.core import queue
from app.core.clock import now
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.events import EventQueue
from app.core.reactions import FailedReaction, repeat_failed
from app.core.runs import ALARMS, JobRun
from app.core.texts import N_

QUEUES = (queue.DELIVERIES, queue.DEFAULT)
_LAST = text(
    "SELECT last.* FROM unnest(CAST(:names AS text[])) AS wanted (name) CROSS JOIN LATERAL"
    " (SELECT * FROM job_runs r WHERE r.name = wanted.name ORDER BY r.slot DESC LIMIT 1) AS last"
)
_ALIVE = "zahlwerk:alive:"  # the signs of life that workers and clocks leave
_RECENT = timedelta(days=3)
_PATIENCE = timedelta(minutes=5), timedelta(hours=1)  # a job is late after missing two slots, but within these


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job of the clock: its last run (None: never yet), and when the next one is due."""

    name: str
    title: str
    word: words.Word
    last: datetime | None
    seconds: float | None
    result: str
    next: datetime | None


class Jobs(Screen):
    address = "jobs"
    entry = Entry("system", 10, N_("Jobs"), "gear", "jobs")

    @page("/", "job.read")
    def index(self) -> str:
        reactions = table_of(FailedReaction)
        failed = connection().execute(select(reactions).order_by(reactions.c.failed_at).limit(50)).mappings().all()
        waiting = connection().execute(select(func.count()).select_from(table_of(EventQueue))).scalar_one()
        redis_ = _redis()
        return self.show(
            "jobs",
            title=_("Jobs"),
            redis=redis_,
            periodic=_periodic(),
            health=health.parts(reachable=redis_ is not None),
            reactions=failed,
            waiting_events=waiting,
        )

    @page("/<id>/retry", "job.retry", ("POST",))
    def retry(self, id: str) -> AnyResponse:
        """Puts a failed job back into its queue."""
        try:
            job = Job.fetch(id, connection=queue.connection(), serializer=JSONSerializer)
            FailedJobRegistry(queue=queue.queue(job.origin)).requeue(job)
        except InvalidJobOperation:  # a second click: it is not among the failed ones any more
            say(_("It is in the queue already."), "wait")
        except (NoSuchJobError, ValueError):
            raise NotFound() from None
        except redis.RedisError:
            say(_("Redis cannot be reached. Nothing was changed."), "bad")
        else:
            told("job.retried", job=job.id, name=_name(job), queue=job.origin)
            say(_("It is in the queue again."))
        return go(url("jobs.index"))

    @page("/reactions", "job.retry", ("POST",))
    def reactions(self) -> AnyResponse:
        done = repeat_failed(100)
        left = connection().execute(select(func.count()).select_from(table_of(FailedReaction))).scalar_one()
        told("reactions.repeated", succeeded=done, still_failing=left)
        say(_("%(done)s repeated, %(left)s still fail.", done=done, left=left), "bad" if left else "good")
        return go(url("jobs.index"))


def _redis() -> dict[str, Any] | None:
    """Queues, failed jobs and signs of life; None when Redis cannot be reached."""
    try:
        client = queue.connection()
        alive = {
            _text(key).removeprefix(_ALIVE): _text(client.get(key)) for key in client.scan_iter(f"{_ALIVE}*", count=500)
        }
        return {
            "queues": [
                (name, queue.queue(name).count, FailedJobRegistry(queue=queue.queue(name)).count) for name in QUEUES
            ],
            "failed": [job for name in QUEUES for job in _failed(name)],
            "alive": sorted((name.rpartition(":")[0], _moment(seen)) for name, seen in alive.items()),
        }
    except redis.RedisError:
        return None


def _failed(name: str) -> list[dict[str, Any]]:
    ids = FailedJobRegistry(queue=queue.queue(name)).get_job_ids(0, 49)
    jobs = Job.fetch_many(ids, connection=queue.connection(), serializer=JSONSerializer)
    return [
        {
            "id": job.id,
            "queue": name,
            "name": _name(job),
            "ended_at": job.ended_at.replace(tzinfo=UTC) if job.ended_at else None,
            "error": _error(job),
        }
        for job in jobs
        if job is not None
    ]


def _name(job: Job) -> str:
    return str(job.args[0]) if job.args else str(job.func_name)


def _error(job: Job) -> str:
    result = job.latest_result()
    return ((result.exc_string if result else "") or "").strip().rpartition("\n")[2]


def _periodic() -> list[Periodic]:
    """Every job there is, and those that ran lately and are no more, by name."""
    runs = table_of(JobRun)
    latest = select(runs).ext(distinct_on(runs.c.name)).where(runs.c.slot > now() - _RECENT)
    rows = connection().execute(latest.order_by(runs.c.name, runs.c.slot.desc())).mappings()
    found = {row["name"]: _of_run(row) for row in rows}
    for row in _older(sorted(words.JOBS.keys() - found.keys())):
        found[row["name"]] = _of_run(row)
    for name in words.JOBS.keys() - found.keys():
        found[name] = Periodic(name, _(words.JOBS[name]), words.NEVER, None, None, "", None)
    return [found[name] for name in sorted(found)]


def _older(names: list[str]) -> Sequence[RowMapping]:
    """The last run of each of these, however long ago."""
    return connection().execute(_LAST, {"names": names}).mappings().all() if names else ()


def _of_run(last: RowMapping) -> Periodic:
    """From a job's latest run."""
    upcoming = last["next_slot"]
    finished, failed = last["finished_at"], (last["result"] or "").startswith("failed")
    if finished is None:
        word = words.RUNNING if last["leased_until"] > now() and not failed else words.BROKEN
    elif upcoming is not None and upcoming < now() - sorted((*_PATIENCE, upcoming - last["slot"]))[1]:
        word = words.LATE
    elif (last["result"] or "").startswith(ALARMS.get(last["name"], "\0")):
        word = words.FOUND
    else:
        word = words.WELL
    return Periodic(
        name=last["name"],
        title=_(words.JOBS.get(last["name"], last["name"])),
        word=word,
        last=last["started_at"],
        seconds=(finished - last["started_at"]).total_seconds() if finished else None,
        result=last["result"] or "",
        next=upcoming,
    )


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


SCREEN = Jobs

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import jobs as _me

    _check: ScreenModule = _me
