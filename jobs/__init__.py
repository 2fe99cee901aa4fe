"""The shelf of jobs, the clock's door: `JOBS["expire"]` is `jobs/expire.py`."""

from app.core.shelf import Shelf
from jobs.kinds import Job

JOBS: Shelf[Job] = Shelf("jobs", skip=frozenset({"clock", "kinds", "pulse", "run", "schedule", "worker"}))
