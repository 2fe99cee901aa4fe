"""When a job is due: pure functions of the time, without memory, so any number of clocks agree."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from jobs.kinds import Job

BERLIN = ZoneInfo("Europe/Berlin")
# A daily job is called for again and again until its slot is done: a lost call or a dead worker costs minutes, no day.
DAILY_IS_CALLED_EVERY = 600


def slot(job: Job, at: datetime) -> datetime:
    """The latest time, not after `at`, for which the job was due (UTC)."""
    every: int | None = getattr(job, "EVERY", None)
    if every is not None:
        seconds = int(at.timestamp())
        return datetime.fromtimestamp(seconds - seconds % every, UTC)
    hour, minute = (int(part) for part in _at(job).split(":"))
    today = at.astimezone(BERLIN).date()
    for day in (today, today - timedelta(days=1)):
        due = datetime.combine(day, time(hour, minute), BERLIN).astimezone(UTC)
        if due <= at:
            return due
    raise AssertionError(f"no slot of {job} before {at}")


def next_slot(job: Job, due: datetime) -> datetime:
    """The slot that follows `due`, itself a slot (UTC). A day has 23 hours or 25 when clocks change."""
    every: int | None = getattr(job, "EVERY", None)
    if every is not None:
        return due + timedelta(seconds=every)
    hour, minute = (int(part) for part in _at(job).split(":"))
    tomorrow = due.astimezone(BERLIN).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(hour, minute), BERLIN).astimezone(UTC)


def call_number(job: Job, at: datetime) -> int:
    """Grows by one whenever the job is to be called."""
    return int(at.timestamp()) // calls_every(job)


def calls_every(job: Job) -> int:
    """Seconds between two calls."""
    return getattr(job, "EVERY", None) or DAILY_IS_CALLED_EVERY


def _at(job: Job) -> str:
    return job.AT  # type: ignore[attr-defined]  # a job that is no Sweep is a Daily; a walking test sees to it
