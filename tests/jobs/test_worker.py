"""Real workers and clocks: woken at once, killed at the worst moment, without Redis, cut off from the database."""

import signal
import threading
import time
from uuid import uuid4

import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import text

from app.core import queue
from app.core.db import ALL, atomic, reading
from app.messages.outbox import LEASE
from jobs import JOBS, pulse
from tests import factories
from tests.jobs.running import eventually, running_processes, running_valkey
from tests.messages.receiving import running_receiver
from tests.messages.steps import endpoint, happen, nothing_waits, relay_all, time_passes, waiting

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(scope="module")
def _receiver():
    with running_receiver() as running:
        yield running


@pytest.fixture
def receiver(_receiver):
    _receiver.received.clear()
    _receiver.answers.clear()
    return _receiver


@pytest.fixture
def merchant(context, acquirers):
    relay_all()
    nothing_waits()
    return factories.tenant(acquirers["A"]).merchant_id


@pytest.fixture
def processes(app, databases, tmp_path):
    """On the Valkey that this test process uses, too: what happens here wakes workers there."""
    queue.connection().flushdb()
    with running_processes(tmp_path, databases.redis_url) as running:
        yield running


@pytest.fixture
def valkey(tmp_path):
    (tmp_path / "valkey").mkdir()
    with running_valkey(tmp_path / "valkey") as running:
        yield running


def test_an_event_wakes_the_worker_and_is_delivered_at_once(processes, merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    processes.worker("deliveries")
    begun = time.monotonic()
    happen(merchant, "capture.pending", payment_id=uuid4())
    receiver.wait_for("/hook", 1, seconds=5)
    assert time.monotonic() - begun < 5  # no clock runs: nobody but the wake-up call can have brought it out


def test_a_worker_killed_while_it_sends_loses_nothing_and_another_takes_over_within_a_minute(
    processes, merchant, receiver
):
    endpoint(merchant, f"{receiver.url}/hook")
    killed = threading.Event()
    receiver.answers["/hook"] = lambda _: 204 if killed.wait(20) else 500
    first = processes.worker("deliveries")
    payment_id = uuid4()
    happen(merchant, "capture.pending", "refund.pending", payment_id=payment_id)
    receiver.wait_for("/hook", 1)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    killed.set()
    assert waiting(merchant)[0]["leased_until"] is not None and waiting(merchant)[0]["state"] == "pending"
    processes.worker("deliveries")
    processes.clock()
    time_passes(LEASE, merchant)  # the dead worker's lease; what is measured is what comes on top of it
    begun = time.monotonic()
    receiver.wait_for("/hook", 3, seconds=30)
    assert LEASE.total_seconds() + time.monotonic() - begun < 60
    types = [one.event["type"] for one in receiver.at("/hook")]
    assert types == ["capture.pending", "capture.pending", "refund.pending"]
    eventually(lambda: {row["state"] for row in waiting(merchant)} == {"delivered"}, 10)


def test_without_redis_the_worker_sweeps_by_itself_and_comes_back_to_it(app, valkey, tmp_path, merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    with running_processes(tmp_path, valkey.url) as processes:
        worker, clock = processes.worker("deliveries"), processes.clock()
        eventually(lambda: len(_alive(valkey)) == 2, 20)
        valkey.kill()
        happen(merchant, "capture.pending", payment_id=uuid4())
        receiver.wait_for("/hook", 1, seconds=25)
        assert "redis_away" in processes.log()
        valkey.start()
        valkey.client().flushdb()  # as if its file had been lost, too
        eventually(lambda: len(_alive(valkey)) == 2, 30)
        happen(merchant, "refund.pending", payment_id=uuid4())
        receiver.wait_for("/hook", 2, seconds=25)
        assert worker.poll() is None and clock.poll() is None


def test_workers_survive_the_loss_of_their_database_connections(processes, merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    processes.worker("deliveries")
    processes.clock()
    happen(merchant, "capture.pending", payment_id=uuid4())
    receiver.wait_for("/hook", 1)
    with atomic(ALL) as connection:
        lost = connection.execute(
            text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user"
            )
        ).scalar_one()
    assert lost >= 1
    _forget_broken_connections()
    happen(merchant, "refund.pending", payment_id=uuid4())
    receiver.wait_for("/hook", 2, seconds=25)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_asked_to_end_finishes_what_it_has_begun(processes, merchant, receiver, number):
    endpoint(merchant, f"{receiver.url}/hook")
    asked = threading.Event()
    receiver.answers["/hook"] = lambda _: 204 if asked.wait(20) else 500
    worker = processes.worker("deliveries")
    happen(merchant, "capture.pending", payment_id=uuid4())
    receiver.wait_for("/hook", 1)
    worker.send_signal(number)
    asked.set()
    assert worker.wait(15) == 0
    assert [row["state"] for row in waiting(merchant)] == ["delivered"]
    assert "worker_ended" in processes.log()


def test_an_idle_worker_and_a_clock_end_at_once(processes):
    for process in (processes.worker("default"), processes.clock()):
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_several_clocks_call_every_job_and_each_slot_is_done_once(processes, merchant):
    processes.worker("default")
    processes.worker("deliveries")
    for _ in range(2):
        processes.clock()
    eventually(lambda: _done().keys() == set(JOBS), 30)
    clocks = {f"clock:{process.pid}" for process in processes.started[2:]}
    eventually(lambda: pulse.beats().keys() >= clocks, 10)
    assert "failed" not in str(_done().values())


def test_a_job_that_hangs_is_ended_even_if_it_swallows_every_exception(databases):
    from jobs.worker import Worker

    connection = queue.connection()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    hanging = Queue("hanging", connection=connection, serializer=JSONSerializer)
    job = hanging.enqueue_call("tests.jobs.hanging.hang", timeout=1)
    begun = time.monotonic()
    try:
        Worker([hanging], connection=connection, serializer=JSONSerializer).work(burst=True, logging_level="CRITICAL")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert time.monotonic() - begun < 5
    assert job.get_status(refresh=True) == "failed"


def _alive(valkey) -> list[bytes]:
    return list(valkey.client().scan_iter("zahlwerk:alive:*"))


def _done() -> dict[str, str]:
    with reading(ALL) as connection:
        rows = connection.execute(text("SELECT name, result FROM job_runs WHERE finished_at IS NOT NULL")).all()
    return {row.name: row.result for row in rows}


def _unfinished(_) -> int:
    with reading(ALL) as connection:
        return connection.execute(
            text(
                "SELECT count(*) FROM job_runs WHERE finished_at IS NULL AND started_at < now() - interval '2 seconds'"
            )
        ).scalar_one()


def _forget_broken_connections() -> None:
    """This process lost its own pooled connections with the others'."""
    from app.core.db import db

    db.engine.dispose()
