"""Delivering: in order per payment, again after failures, and never by two at once."""

import threading
import time
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import current_app
from sqlalchemy import text

from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.core.events import tell
from app.core.ids import public_id
from app.messages.claim import claim
from app.messages.deliver import deliver
from app.messages.outbox import LEASE, Result
from app.messages.record import PATIENCE, record
from app.messages.relay import relay
from app.messages.senders import MOST_PER_ENDPOINT, MOST_PER_FAILING_ENDPOINT, MOST_PER_PEER
from app.messages.webhook import Outcome
from app.payments.capture import capture
from app.payments.refund import refund
from tests import factories
from tests.messages import steps
from tests.messages.steps import endpoint, happen, relay_all, send_out, time_passes, waiting

pytestmark = pytest.mark.usefixtures("context")

NAMES = ("authorisation.pending", "capture.pending", "refund.pending")


@pytest.fixture
def tenant(context, acquirers):
    steps.nothing_waits()
    return factories.tenant(acquirers["A"])


@pytest.fixture
def merchant(tenant):
    return tenant.merchant_id


def test_every_step_of_a_payment_arrives_in_order_with_a_valid_signature(tenant, receiver):
    _, secret = endpoint(tenant.merchant_id, f"{receiver.url}/hook")
    payment_id = factories.authorised(tenant, 10_000).payment["id"]
    for amount in (4_000, None):
        capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment_id, amount=amount, actor="test")
    refund(merchant_id=tenant.merchant_id, live=False, payment_id=payment_id, amount=500, actor="test")
    assert send_out() == 5
    arrived = receiver.at("/hook")
    assert all(one.verified(secret) for one in arrived)
    assert [one.event["type"] for one in arrived] == [
        *("payment.created", "authorisation.succeeded", "capture.succeeded", "capture.succeeded", "refund.succeeded")
    ]
    steps = [one.event["payment_step"] for one in arrived]
    assert steps == sorted(steps)
    assert arrived[3].event["data"]["payment"]["captured"] == 10_000


def test_what_was_told_in_one_transaction_arrives_in_the_order_in_which_it_was_told(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    payment_id, operation = uuid4(), uuid4()
    with atomic(of(merchant, False)):
        told = [
            tell(
                "capture.pending",
                subject=("operation", operation),
                step=number,
                merchant_id=merchant,
                live=False,
                payment_id=payment_id,
            )
            for number in range(20)
        ]
    send_out()
    assert receiver.ids("/hook") == _ids(told)


def test_an_endpoint_gets_the_events_it_asked_for_and_only_its_own_merchants(merchant, receiver, acquirers):
    other = factories.tenant(acquirers["A"]).merchant_id
    endpoint(merchant, f"{receiver.url}/captures", "capture.pending")
    endpoint(merchant, f"{receiver.url}/all")
    endpoint(other, f"{receiver.url}/other")
    happen(merchant, *NAMES)
    assert send_out() == 4
    assert [one.event["type"] for one in receiver.at("/captures")] == ["capture.pending"]
    assert Counter(one.event["type"] for one in receiver.at("/all")) == Counter(NAMES)
    assert receiver.at("/other") == []


def test_internal_and_staff_events_never_leave_the_house(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    send_out()
    names = {one.event["type"] for one in receiver.at("/hook")}
    assert names == set()  # endpoint.added is for staff


def test_an_endpoint_hears_nothing_of_what_happened_before_it_was_added(merchant, receiver):
    happen(merchant, "capture.pending")
    endpoint(merchant, f"{receiver.url}/hook")
    [after] = happen(merchant, "refund.pending")
    send_out()
    assert receiver.ids("/hook") == [public_id("evt", after)]


def test_a_failing_delivery_holds_back_its_payment_and_no_other(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    held, free = uuid4(), uuid4()
    bad = happen(merchant, *NAMES, payment_id=held)
    good = happen(merchant, *NAMES, payment_id=free)
    receiver.answers["/hook"] = lambda one: 500 if one.event["id"] == public_id("evt", bad[0]) else 204
    assert send_out() == 3
    assert receiver.ids("/hook").count(public_id("evt", bad[0])) == 1
    assert [id_ for id_ in receiver.ids("/hook") if id_ != public_id("evt", bad[0])] == _ids(good)
    first, *followers = [row for row in waiting(merchant) if row["payment_id"] == held]
    assert first["attempts"] == 1 and first["last_status"] == 500 and first["last_error"] == "HTTP 500"
    assert 3 < (first["due_at"] - now()).total_seconds() < 7
    assert all(row["attempts"] == 0 for row in followers)


def test_when_it_gets_through_after_all_the_others_follow_at_once_and_in_order(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    ids = happen(merchant, *NAMES, payment_id=uuid4())
    receiver.answers["/hook"] = 500
    send_out()
    receiver.answers["/hook"] = 204
    assert send_out() == 0  # nothing is due yet
    time_passes(timedelta(seconds=8), merchant)
    assert send_out() == 3
    assert receiver.ids("/hook") == [*_ids(ids[:1]), *_ids(ids)]


def test_after_an_hour_the_others_go_without_it_and_it_is_still_tried(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    ids = happen(merchant, *NAMES, payment_id=uuid4())
    receiver.answers["/hook"] = lambda one: 500 if one.event["id"] == public_id("evt", ids[0]) else 204
    send_out()
    time_passes(timedelta(minutes=61), merchant)
    assert send_out() == 2
    assert receiver.ids("/hook")[-2:] == _ids(ids[1:])
    assert [row["state"] for row in waiting(merchant)] == ["pending", "delivered", "delivered"]
    receiver.answers["/hook"] = 204
    time_passes(timedelta(hours=1), merchant)
    assert send_out() == 1


def test_it_is_tried_again_after_ever_longer_whiles_and_given_up_after_72_hours(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    happen(merchant, "capture.pending", payment_id=uuid4())
    receiver.answers["/hook"] = 500
    send_out()
    waited = timedelta()
    pauses = []
    while waiting(merchant)[0]["state"] == "pending":
        pause = waiting(merchant)[0]["due_at"] - now()
        pauses.append(pause.total_seconds())
        waited += pause
        time_passes(pause + timedelta(seconds=1), merchant)
        send_out()
    for pause, planned in zip(pauses[:8], PATIENCE, strict=True):
        assert 0.75 * planned <= pause <= 1.25 * planned
    assert timedelta(hours=71) < waited < timedelta(hours=73)
    assert waiting(merchant)[0]["state"] == "failed"
    assert len(receiver.at("/hook")) == len(pauses) + 1


def test_of_one_payment_only_one_is_under_way_however_many_workers_there_are(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    for payment_id in (uuid4(), uuid4(), uuid4()):
        happen(merchant, *NAMES, *NAMES, payment_id=payment_id)
    relay_all()
    payment_of = {public_id("evt", row["event_id"]): row["payment_id"] for row in waiting(merchant)}
    under_way, most, guard = Counter(), Counter(), threading.Lock()

    def answer(one):
        payment_id = payment_of[one.event["id"]]
        with guard:
            under_way[payment_id] += 1
            most[payment_id] = max(most[payment_id], under_way[payment_id])
        time.sleep(0.02)  # a receiver that takes its time, so that calls could overlap
        with guard:
            under_way[payment_id] -= 1
        return 204

    receiver.answers["/hook"] = answer
    workers = [threading.Thread(target=_work, args=(_app(),)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {row["state"] for row in waiting(merchant)} == {"delivered"}
    assert len(receiver.at("/hook")) == 18
    assert sorted(most.values()) == [1, 1, 1]


def test_while_one_that_failed_for_an_hour_is_under_way_again_the_others_wait(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    ids = happen(merchant, "capture.pending", "refund.pending", payment_id=uuid4())
    receiver.answers["/hook"] = 500
    send_out()
    time_passes(timedelta(minutes=61), merchant)
    with atomic(ALL) as connection:  # another worker tries it
        [under_way] = claim(connection, 1, busy={}, most=16, most_failing=2)
    assert under_way.webhook.event["id"] == ids[0]
    receiver.received.clear()
    send_out()
    assert receiver.received == []


def test_a_dead_workers_claims_are_free_again_within_a_minute_and_not_before(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    ids = happen(merchant, *NAMES, payment_id=uuid4())
    relay_all()
    with atomic(ALL) as connection:  # a worker claims, and dies
        claims = claim(connection, 100, busy={}, most=16, most_failing=2)
    mine = [one for one in claims if one.webhook.url.startswith(receiver.url)]
    assert [one.webhook.event["id"] for one in mine] == ids[:1]
    assert send_out() == 0
    assert LEASE + timedelta(seconds=10) < timedelta(seconds=60)
    time_passes(LEASE, merchant)
    assert send_out() == 3
    assert receiver.ids("/hook") == _ids(ids)


def test_who_has_lost_his_lease_may_not_record(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    happen(merchant, "capture.pending", payment_id=uuid4())
    relay_all()
    with atomic(ALL) as connection:
        late = claim(connection, 100, busy={}, most=16, most_failing=2)
    time_passes(LEASE, merchant)
    send_out()
    failed = Outcome(500, "HTTP 500", 1.0)
    with atomic(ALL) as connection:
        assert record(connection, [Result(one, failed) for one in late]) == []
    assert waiting(merchant)[0]["state"] == "delivered"


def test_a_hanging_endpoint_takes_few_threads_and_others_do_not_wait_for_it(tenant, receiver, acquirers):
    slow, quick = tenant.merchant_id, factories.tenant(acquirers["A"]).merchant_id
    endpoint(slow, f"{receiver.url}/slow")
    endpoint(quick, f"{receiver.url}/quick")
    released = threading.Event()
    receiver.answers["/slow"] = lambda _: 204 if released.wait(20) else 500
    with atomic(ALL) as connection:  # it has been failing for a while
        connection.execute(
            text("UPDATE webhook_endpoints SET failing_since = now() WHERE merchant_id = :id"), {"id": slow}
        )
    for _ in range(30):
        happen(slow, "capture.pending", payment_id=uuid4())
    happen(quick, *NAMES * 10)
    worker = threading.Thread(target=_work, args=(_app(),))
    relay_all()
    worker.start()
    receiver.wait_for("/quick", 30)
    assert len(receiver.at("/slow")) <= MOST_PER_FAILING_ENDPOINT
    released.set()
    worker.join()
    assert len(receiver.at("/slow")) == 30


def test_one_host_is_never_asked_more_than_its_share_at_once(merchant, receiver, acquirers):
    merchants = [merchant, *(factories.tenant(acquirers["A"]).merchant_id for _ in range(2))]
    under_way, most, guard = 0, 0, threading.Lock()

    def answer(_):
        nonlocal under_way, most
        with guard:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.15)  # slower than a quick endpoint
        with guard:
            under_way -= 1
        return 204

    for number, one in enumerate(merchants):
        endpoint(one, f"{receiver.url}/{number}")
        receiver.answers[f"/{number}"] = answer
        for _ in range(25):
            happen(one, "capture.pending", payment_id=uuid4())
    relay_all()
    assert deliver(_app()) == 75
    assert MOST_PER_ENDPOINT < most <= MOST_PER_PEER
    assert len(receiver.received) == 75


def test_new_events_are_relayed_while_old_ones_are_under_way(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    released = threading.Event()
    [first] = happen(merchant, "capture.pending", payment_id=uuid4())
    answers = {public_id("evt", first): lambda: released.wait(10)}
    receiver.answers["/hook"] = lambda one: 204 if answers.get(one.event["id"], lambda: True)() else 500
    relay_all()
    worker = threading.Thread(target=_work, args=(_app(),), kwargs={"relay": relay})
    worker.start()
    receiver.wait_for("/hook", 1)
    [second] = happen(merchant, "refund.pending", payment_id=uuid4())
    receiver.wait_for("/hook", 2)
    released.set()
    worker.join()
    assert receiver.ids("/hook") == _ids([first, second])


def test_it_stops_claiming_when_told_to(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    happen(merchant, *NAMES)
    assert send_out(stop=lambda: True) == 0
    assert receiver.received == []


def test_a_lost_endpoint_name_is_an_attempt_and_no_crash(merchant):
    endpoint(merchant, "http://no-such-name.invalid/hook")
    happen(merchant, "capture.pending")
    assert send_out() == 0
    assert waiting(merchant)[0]["last_error"] == "url_unknown_host"


def _work(app, **options):
    with app.app_context():
        deliver(app, **options)


def _app():
    return current_app._get_current_object()


def _ids(event_ids):
    return [public_id("evt", event_id) for event_id in event_ids]


def test_a_secret_that_cannot_be_opened_stops_nobody_elses_deliveries(merchant, receiver):
    """Its key is gone. Nothing goes out unsigned, and the endpoint is one that fails."""
    broken, _ = endpoint(merchant, f"{receiver.url}/broken")
    _, secret = endpoint(merchant, f"{receiver.url}/good")
    with atomic(ALL) as connection:
        gone = {"id": broken, "sealed": b"\xff" + bytes(40)}
        connection.execute(text("UPDATE webhook_endpoints SET secret_sealed = :sealed WHERE id = :id"), gone)
    happen(merchant, NAMES[0])
    assert send_out() == 1
    [arrived] = receiver.at("/good")
    assert arrived.verified(secret) and receiver.at("/broken") == []
    [left] = [row for row in waiting(merchant) if row["endpoint_id"] == broken]
    assert (left["state"], left["attempts"]) == ("pending", 1)
    assert left["last_error"] == "the endpoint's secret cannot be opened"
    assert left["due_at"] > now()
    with reading(ALL) as connection:
        since = text("SELECT failing_since FROM webhook_endpoints WHERE id = :id")
        assert connection.execute(since, {"id": broken}).scalar_one() is not None
