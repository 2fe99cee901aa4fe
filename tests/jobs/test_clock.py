"""The clock calls each job once per period, makes up for what it missed, and waits for Redis."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from rq import Queue

from app import config
from app.core import queue
from jobs import JOBS
from jobs.clock import tick
from tests.jobs.running import running_valkey

NOON = datetime(2026, 11, 21, 12, 0, 1, tzinfo=UTC)


@pytest.fixture
def valkey(tmp_path, monkeypatch):
    """A server of this test's own, which queues are taken from."""
    with running_valkey(tmp_path) as running:
        settings = replace(config.settings(), redis_url=running.url)
        monkeypatch.setattr("app.core.queue.settings", lambda: settings)
        for cached in (queue.connection, queue.queue):
            cached.cache_clear()
        yield running
    for cached in (queue.connection, queue.queue):
        cached.cache_clear()


def test_everything_is_called_at_the_start_and_then_when_its_period_is_over(valkey):
    called: dict[str, int] = {}
    with time_machine.travel(NOON, tick=False) as time:
        tick(called)
        assert sorted(_calls(valkey)) == sorted(JOBS)
        tick(called)
        assert _calls(valkey) == []
        time.shift(timedelta(seconds=10))
        tick(called)
        assert set(_calls(valkey)) == {name for name, job in JOBS.items() if getattr(job, "EVERY", 99) <= 10}


def test_a_daily_slot_missed_while_nobody_ran_is_called_for_until_it_is_done(valkey):
    with time_machine.travel(NOON, tick=False) as time:
        tick({})
        slots = dict(_calls(valkey, slots=True))
        assert slots["prove_books"] == "2026-11-21T02:10:00+00:00"
        called: dict[str, int] = {}
        tick(called)
        _calls(valkey)
        time.shift(timedelta(minutes=10))
        tick(called)
        assert ("prove_books", "2026-11-21T02:10:00+00:00") in _calls(valkey, slots=True)


def test_calls_that_redis_could_not_take_are_made_when_it_is_back(valkey):
    called: dict[str, int] = {}
    valkey.kill()
    tick(called)
    assert called == {}
    valkey.start()
    tick(called)
    assert sorted(_calls(valkey)) == sorted(JOBS)


def test_calls_fade_when_no_worker_takes_them(valkey):
    tick({})
    client = valkey.client()
    for name in (queue.DEFAULT, queue.DELIVERIES):
        for job_id in Queue(name, connection=client).job_ids:
            assert 0 < client.ttl(f"rq:job:{job_id}") <= 2 * 3600


def _calls(valkey, slots: bool = False) -> list:
    """Takes what waits in both queues: names of jobs, or (name, slot)."""
    found = []
    for name in (queue.DEFAULT, queue.DELIVERIES):
        waiting = queue.queue(name)
        found += [tuple(job.args) if slots else job.args[0] for job in waiting.jobs]
        waiting.empty()
    return found
