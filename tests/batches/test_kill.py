"""A worker is killed in the middle of a batch: another goes on, and no payment is captured twice."""

import signal
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text, update

from app.batches.models import ROWS
from app.batches.work import AT_ONCE
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.payments.queries import OPERATIONS
from app.payments.resolve import resolve_due
from tests import factories
from tests.batches.conftest import batch_of, states_of
from tests.books import broken_proofs
from tests.jobs.running import eventually, running_processes

pytestmark = pytest.mark.timeout(200)
MANY = 40


@pytest.fixture
def slow(acquirers):
    acquirers["A"].control(latency_ms=150)
    yield acquirers["A"]
    acquirers["A"].control(latency_ms=0)


@pytest.fixture
def processes(app, databases, tmp_path):
    with running_processes(tmp_path, databases.redis_url) as running:
        yield running


def test_a_killed_worker_loses_nothing_and_captures_nothing_twice(app, tenant, begin, acquirers, processes, request):
    made = [factories.authorised(tenant, 1_000 + number) for number in range(MANY)]
    acquirer = request.getfixturevalue("slow")
    batch_id = begin("capture", made)
    first = processes.worker("default")
    eventually(lambda: states_of(batch_id).count("done") >= 5, 60)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    assert states_of(batch_id).count("waiting") > 0, "it died in the middle"
    with atomic(ALL) as connection:  # the minutes go by for which it had leased what it was at
        connection.execute(update(ROWS).where(ROWS.c.state == "waiting").values(leased_until=now()))
        submitted = OPERATIONS.c.state == "submitted"
        connection.execute(update(OPERATIONS).where(submitted).values(leased_until=now(), enquire_at=now()))
    begin("capture", [factories.authorised(tenant)])  # wakes somebody
    processes.worker("default")
    eventually(lambda: batch_of(batch_id)["finished_at"] is not None, 60)
    with time_machine.travel(now() + timedelta(minutes=3)):  # what was on its way then has arrived, or never will
        resolve_due(app)
    assert states_of(batch_id) == ["done"] * MANY
    with reading(ALL) as connection:
        query = text("SELECT payment_id, state FROM operations WHERE kind = 'capture' AND merchant_id = :id")
        captures = connection.execute(query, {"id": tenant.merchant_id}).all()
    per_payment = Counter(row.payment_id for row in captures)
    assert all(per_payment[done.payment["id"]] == 1 for done in made)
    captured = {done.payment["id"] for done in made if factories.fresh(done)["captured"] == done.payment["amount"]}
    lost = {row.payment_id for row in captures if row.state == "failed"}
    assert captured == {done.payment["id"] for done in made} - lost
    assert len(lost) <= AT_ONCE, "only what was written down and not yet sent when it died"
    references = {factories.authorisation_of(done)["provider_reference"] for done in made}
    taken = [line for line in acquirer.did(verb="capture") if set(map(str, line.values())) & references]
    assert len(taken) == len(captured), "the acquirer's own journal says the same"
    assert broken_proofs() == {}
