"""Running a job by name: slots are taken once, work goes on while there is some, errors are noted."""

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from app.core import queue
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from jobs import JOBS, schedule
from jobs import run as running
from jobs._stopping import STOPPING
from jobs.run import LIMIT, run_job

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def shelf(monkeypatch):
    """Puts a job of the test's own on the shelf (a real one, only not a file)."""

    def put(name, run, **shape):
        job = SimpleNamespace(QUEUE=queue.DEFAULT, run=run, **(shape or {"AT": "00:00"}))
        monkeypatch.setattr(running, "JOBS", {**JOBS, name: job})
        return job

    return put


def test_a_slot_is_done_once_however_often_the_clock_calls(shelf):
    calls = []
    shelf("once", lambda limit: calls.append(limit) or "done")
    assert [run_job("once", "now") for _ in range(3)] == ["done", "already done", "already done"]
    assert calls == [LIMIT]


def test_two_workers_at_the_same_moment_do_it_once(shelf, app):
    started, go_on, results = threading.Barrier(3), threading.Event(), []

    def work(limit):
        go_on.wait(10)
        return "done"

    shelf("together", work)

    def worker():
        started.wait(10)
        results.append(run_job("together", "now"))
        go_on.set()

    threads = [threading.Thread(target=_in_context, args=(app, worker)) for _ in range(2)]
    for thread in threads:
        thread.start()
    started.wait(10)
    for thread in threads:
        thread.join()
    assert sorted(results) == ["already done", "done"]


def test_a_woken_job_runs_each_time(shelf):
    calls = []
    shelf("woken", lambda limit: calls.append(limit) or "done")
    assert [run_job("woken") for _ in range(2)] == ["done", "done"]
    assert len(calls) == 2


def test_it_is_called_again_while_it_does_as_much_as_it_may(shelf):
    left = [2 * LIMIT + 7]

    def work(limit):
        done = min(limit, left[0])
        left[0] -= done
        return done

    shelf("plenty", work)
    assert run_job("plenty") == str(2 * LIMIT + 7)


def test_others_get_their_turn_and_it_is_called_again_for_the_rest(shelf, monkeypatch):
    monkeypatch.setattr(running, "SECONDS", 0.0)
    shelf("endless", lambda limit: limit)
    assert run_job("endless") == f"{LIMIT}, and more to do"
    assert queue.connection().get(queue.mark("endless")) is not None


def test_a_worker_that_is_asked_to_end_stops_after_the_call_at_hand(shelf):
    STOPPING.set()
    try:
        shelf("stopped", lambda limit: limit)
        assert run_job("stopped") == f"{LIMIT}, and more to do"
    finally:
        STOPPING.clear()


def test_the_mark_of_the_wake_up_call_is_taken_down_before_the_work(shelf):
    seen = []
    shelf("marked", lambda limit: seen.append(queue.connection().get(queue.mark("marked"))) or "done")
    queue.connection().set(queue.mark("marked"), b"1", px=5000)
    run_job("marked")
    assert seen == [None]


def test_an_error_is_noted_raised_and_the_slot_tried_again_a_minute_later(shelf):
    outcomes = [ZeroDivisionError(), "done"]

    def work(limit):
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    shelf("broken", work)
    with pytest.raises(ZeroDivisionError):
        run_job("broken", "now")
    row = _run("broken")
    assert row.finished_at is None and row.result == "failed: ZeroDivisionError"
    assert run_job("broken", "now") == "already done"
    with atomic(ALL) as connection:
        connection.execute(
            text("UPDATE job_runs SET leased_until = leased_until - interval '61 seconds' WHERE name = 'broken'")
        )
    assert run_job("broken", "now") == "done"


def test_a_slot_whose_worker_died_is_taken_over_when_its_lease_is_over(shelf):
    job = shelf("died", lambda limit: "done")
    slot = schedule.slot(job, now())
    with atomic(ALL) as connection:
        connection.execute(
            text("INSERT INTO job_runs (name, slot, leased_until, started_at) VALUES ('died', :slot, :until, :until)"),
            {"slot": slot, "until": now() + timedelta(seconds=100)},
        )
    assert run_job("died", "now") == "already done"
    with atomic(ALL) as connection:
        connection.execute(text("UPDATE job_runs SET leased_until = now() - interval '1 second' WHERE name = 'died'"))
    assert run_job("died", "now") == "done"


def test_calls_for_slots_that_were_overtaken_do_nothing(shelf):
    calls = []
    shelf("late", lambda limit: calls.append(limit) or "done")
    hours_ago = (now() - timedelta(hours=30)).isoformat()
    assert [run_job("late", slot) for slot in (hours_ago, now().isoformat())] == ["done", "already done"]


def _run(name):
    with reading(ALL) as connection:
        return connection.execute(text("SELECT * FROM job_runs WHERE name = :name"), {"name": name}).one()


def _in_context(app, work):
    with app.app_context():
        work()
