"""Every job on the shelf: its shape, its queue, its hour, and that an empty house is no trouble to it."""

import re
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from app.core import queue
from app.core.db import ALL, reading
from jobs import JOBS, schedule
from jobs.run import LEASE_SECONDS, SECONDS, TIMEOUT, run_job

FOLDER = Path(__file__).resolve().parents[2] / "jobs"

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize("name", JOBS)
def test_each_job_has_its_shape(name):
    job = JOBS[name]
    source = (FOLDER / f"{name}.py").read_text()
    assert job.__doc__ and job.QUEUE in (queue.DEFAULT, queue.DELIVERIES)
    if hasattr(job, "EVERY"):
        assert not hasattr(job, "AT") and 0 < job.EVERY <= 3600 and "_: Sweep = _me" in source
    else:
        assert re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", job.AT) and "_: Daily = _me" in source


@pytest.mark.parametrize("name", JOBS)
def test_a_wake_up_call_reaches_the_queue_of_the_job(name):
    assert queue._QUEUE_OF.get(name, queue.DEFAULT) == JOBS[name].QUEUE


@pytest.mark.parametrize("name", JOBS)
def test_each_job_runs_in_an_empty_house_and_its_slot_is_done_once(name):
    assert run_job(name, "now") != "already done"
    due = schedule.slot(JOBS[name], _started(name))
    with reading(ALL) as connection:
        row = connection.execute(
            text("SELECT * FROM job_runs WHERE name = :name AND slot = :slot"), {"name": name, "slot": due}
        ).one()
    assert row.finished_at is not None and row.result


def test_a_lease_outlives_the_longest_run():
    assert SECONDS < TIMEOUT < LEASE_SECONDS


def _started(name) -> datetime:
    with reading(ALL) as connection:
        return connection.execute(
            text("SELECT max(started_at) FROM job_runs WHERE name = :name"), {"name": name}
        ).scalar_one()
