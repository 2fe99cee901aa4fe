"""Rows of a batch: each is one operation with a result of its own, and is done once whatever dies in between."""

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text, update

from app.approvals.rules import add_rule
from app.batches import do_row as doing
from app.batches import work as working
from app.batches.models import ROWS
from app.batches.stop import stop
from app.batches.work import work
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.payments.cancel import cancel
from app.payments.capture import capture
from app.staff.add import add_user
from app.staff.change import set_active
from tests import factories
from tests.batches.conftest import batch_of, rows_of, staff_of, states_of
from tests.books import booked, broken_proofs, told


def told_of(batch_id):
    """(name, data) of a batch's events."""
    with reading(ALL) as connection:
        query = text("SELECT name, data, merchant_id, actor FROM events WHERE subject_id = :id ORDER BY id")
        return [(row.name, row.data, row.merchant_id, row.actor) for row in connection.execute(query, {"id": batch_id})]


def _add(connection, role):
    add_user(connection, email=f"{role}@x.example", password="ein-langes-passwort", roles=[role], actor="test")


def operations(payment_id, kind):
    with reading(ALL) as connection:
        query = text("SELECT state FROM operations WHERE payment_id = :id AND kind = :kind")
        return list(connection.execute(query, {"id": payment_id, "kind": kind}).scalars())


def test_every_row_is_captured_booked_and_told(app, tenant, begin, operator):
    made = [factories.authorised(tenant, 1_000 + number) for number in range(5)]
    batch_id = begin("capture", made)
    assert work(app, 100) == 5
    assert states_of(batch_id) == ["done"] * 5
    for done in made:
        assert factories.fresh(done)["captured"] == done.payment["amount"]
        assert booked(done.payment["id"])["provider_balance"] == done.payment["amount"]
        assert told(done.payment["id"])[-2:] == ["capture.submitted", "capture.succeeded"]
    names = [(name, data["verb"], merchant) for name, data, merchant, _actor in told_of(batch_id)]
    assert names == [
        ("batch.started", "capture", tenant.merchant_id),
        ("batch.finished", "capture", tenant.merchant_id),
    ]
    first, last = (data for _name, data, _merchant, _actor in told_of(batch_id))
    assert (first["payments"], first["sums"], first["reason"]) == (5, {"EUR": 5_010}, "goods sent")
    assert (last["done"], last["refused"], last["stopped"]) == (5, 0, 0)
    assert batch_of(batch_id)["finished_at"] is not None
    assert broken_proofs() == {}


def test_what_cannot_be_done_says_why_and_does_not_hold_up_the_others(app, tenant, begin):
    to = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    good, gone, refused, late = (factories.authorised(tenant, amount) for amount in (2_000, 2_100, 66_01, 2_300))
    cancel(**to, payment_id=gone.payment["id"])
    batch_id = begin("capture", [good, gone, refused, late])
    capture(**to, payment_id=late.payment["id"], amount=300)
    work(app, 100)
    assert states_of(batch_id) == ["done", "refused", "done", "refused"]
    whys = [row["why"]["code"] for row in rows_of(batch_id) if row["why"]]
    assert whys == ["nothing_to_capture", "changed_meanwhile"]
    assert operations(refused.payment["id"], "capture") == ["declined"]
    assert factories.fresh(late)["captured"] == 300, "not the amount that was shown, so not at all"


def test_cancelling_gives_back_what_was_shown(app, tenant, begin):
    reserved, waiting = (
        factories.authorised(tenant, 5_000),
        factories.authorised(tenant, card=factories.card("challenge")),
    )
    batch_id = begin("cancel", [reserved, waiting])
    work(app, 100)
    assert states_of(batch_id) == ["done", "done"]
    assert factories.fresh(reserved)["status"] == "cancelled"
    assert factories.fresh(waiting)["status"] == "cancelled"


def test_a_changed_amount_is_not_cancelled(app, tenant, begin):
    done = factories.authorised(tenant, 5_000)
    batch_id = begin("cancel", [done])
    capture(merchant_id=tenant.merchant_id, live=False, payment_id=done.payment["id"], amount=1_000, actor="test")
    work(app, 100)
    assert rows_of(batch_id)[0]["why"]["code"] == "changed_meanwhile"
    assert factories.fresh(done)["cancelled"] == 0


def test_rights_are_those_of_the_moment_in_which_a_row_is_done(app, tenant, begin, operator):
    batch_id = begin("capture", [factories.authorised(tenant)])
    with atomic(ALL) as connection:
        _add(connection, "admin")  # the last one could not be deactivated
        set_active(connection, operator, False, actor="test")
    work(app, 100)
    assert rows_of(batch_id)[0]["why"]["code"] == "right_taken_away"


def test_a_rule_for_four_eyes_holds_for_every_row(app, tenant, begin, context):
    with atomic(ALL) as connection:
        _add(connection, "supervisor")
        add_rule(
            connection, action="capture", merchant_id=tenant.merchant_id, currency="EUR", above=5_000, actor="test"
        )
    small, large = factories.authorised(tenant, 4_000), factories.authorised(tenant, 6_000)
    batch_id = begin("capture", [small, large])
    work(app, 100)
    assert states_of(batch_id) == ["done", "done"]
    assert operations(large.payment["id"], "capture") == ["pending_approval"]
    assert factories.fresh(small)["captured"] == 4_000 and factories.fresh(large)["captured"] == 0


@pytest.mark.parametrize("verb", ["capture", "cancel"])
def test_a_worker_that_died_after_the_operation_does_not_do_it_twice(app, tenant, begin, operator, acquirers, verb):
    """It had asked the acquirer, and died before it could say so in the row."""
    done = factories.authorised(tenant, 7_000)
    batch_id = begin(verb, [done])
    (row,) = rows_of(batch_id)
    made = doing.do_row(batch_of(batch_id), row, staff_of(operator))
    with atomic(ALL) as connection:
        connection.execute(update(ROWS).where(ROWS.c.batch_id == batch_id).values(leased_until=now(), attempts=1))
    with time_machine.travel(now() + timedelta(seconds=1)):
        work(app, 100)
    assert (rows_of(batch_id)[0]["state"], rows_of(batch_id)[0]["operation_id"]) == ("done", made)
    assert operations(done.payment["id"], verb) == ["succeeded"]


def test_rows_of_a_dead_worker_are_taken_when_its_lease_is_over(app, tenant, begin):
    batch_id = begin("capture", [factories.authorised(tenant)])
    assert len(working._take(10)) == 1
    assert work(app, 100) == 0
    with time_machine.travel(now() + working.LEASE + timedelta(seconds=1)):
        assert work(app, 100) == 1
    assert states_of(batch_id) == ["done"]


def test_two_workers_share_the_rows(app, tenant, begin):
    made = [factories.authorised(tenant, 1_000) for _ in range(24)]
    batch_id = begin("capture", made)
    counts = []

    def worker():
        with app.app_context():
            counts.append(work(app, 100))

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 24
    assert states_of(batch_id) == ["done"] * 24
    assert all(operations(done.payment["id"], "capture") == ["succeeded"] for done in made)
    assert [name for name, *_ in told_of(batch_id)].count("batch.finished") == 1


def test_stopping_leaves_alone_what_nobody_has_begun(app, tenant, begin, operator):
    made = [factories.authorised(tenant, 1_000) for _ in range(3)]
    batch_id = begin("capture", made)
    begun = working._take(1)[0]
    made_one = doing.do_row(batch_of(batch_id), begun, staff_of(operator))
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert stop(connection, batch_id, "capture", actor="staff:x") == 2
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert stop(connection, batch_id, "capture", actor="staff:x") == 0, "a second time changes nothing"
    work(app, 100)
    assert states_of(batch_id) == ["waiting", "stopped", "stopped"]
    with time_machine.travel(now() + working.LEASE + timedelta(seconds=1)):
        work(app, 100)
    assert states_of(batch_id) == ["done", "stopped", "stopped"], "the one that was begun is known by what came of it"
    assert rows_of(batch_id)[0]["operation_id"] == made_one
    assert [name for name, *_ in told_of(batch_id)] == ["batch.started", "batch.stopped", "batch.finished"]
    assert [factories.fresh(done)["captured"] for done in made] == [1_000, 0, 0]


def test_in_a_stopped_batch_nothing_is_begun_any_more(app, tenant, begin):
    done = factories.authorised(tenant)
    batch_id = begin("capture", [done])
    working._take(1)
    with atomic(of(tenant.merchant_id, False)) as connection:
        stop(connection, batch_id, "capture", actor="staff:x")
    with time_machine.travel(now() + working.LEASE + timedelta(seconds=1)):
        work(app, 100)
    assert states_of(batch_id) == ["stopped"]
    assert operations(done.payment["id"], "capture") == []
