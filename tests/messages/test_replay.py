"""Replaying: the same event once more, as a delivery of its own."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core.db import atomic, of, reading
from app.core.errors import NotFound
from app.messages import queries
from app.messages.endpoints import EndpointInactive, change_endpoint
from app.messages.public import delivery_picture
from app.messages.replay import StillWaiting, replay, replay_failed
from tests import factories
from tests.messages import steps
from tests.messages.steps import endpoint, happen, send_out, time_passes, waiting

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def merchant(context, acquirers):
    steps.nothing_waits()
    return factories.tenant(acquirers["A"]).merchant_id


def test_a_delivered_event_arrives_again_with_the_same_id(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    happen(merchant, "capture.pending", payment_id=uuid4())
    send_out()
    [first] = waiting(merchant)
    again = replay(merchant_id=merchant, live=False, delivery_id=first["id"], actor="test")
    assert send_out() == 1
    one, two = receiver.ids("/hook")
    assert one == two
    with reading(of(merchant, False)) as connection:
        picture = delivery_picture(queries.delivery(connection, again))
    assert picture["replay"] == 1 and picture["status"] == "delivered" and picture["type"] == "capture.pending"


def test_what_is_still_waiting_cannot_be_replayed(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    receiver.answers["/hook"] = 500
    happen(merchant, "capture.pending")
    send_out()
    [row] = waiting(merchant)
    with pytest.raises(StillWaiting):
        replay(merchant_id=merchant, live=False, delivery_id=row["id"], actor="test")


def test_deliveries_of_others_do_not_exist(merchant, receiver, acquirers):
    endpoint(merchant, f"{receiver.url}/hook")
    happen(merchant, "capture.pending")
    send_out()
    [row] = waiting(merchant)
    other = factories.tenant(acquirers["A"]).merchant_id
    for merchant_id, live in ((other, False), (merchant, True)):
        with pytest.raises(NotFound):
            replay(merchant_id=merchant_id, live=live, delivery_id=row["id"], actor="test")


def test_nothing_is_replayed_to_an_endpoint_that_is_off(merchant, receiver):
    endpoint_id, _ = endpoint(merchant, f"{receiver.url}/hook")
    happen(merchant, "capture.pending")
    send_out()
    with atomic(of(merchant, False)) as connection:
        change_endpoint(connection, endpoint_id=endpoint_id, active=False, actor="test")
    [row] = waiting(merchant)
    with pytest.raises(EndpointInactive):
        replay(merchant_id=merchant, live=False, delivery_id=row["id"], actor="test")
    with pytest.raises(EndpointInactive):
        replay_failed(merchant_id=merchant, live=False, endpoint_id=endpoint_id, actor="test")


def test_all_that_failed_can_be_replayed_once_and_goes_out_in_order(merchant, receiver):
    endpoint_id, _ = endpoint(merchant, f"{receiver.url}/hook")
    names = ("authorisation.pending", "capture.pending", "refund.pending")
    happen(merchant, *names, payment_id=uuid4())
    receiver.answers["/hook"] = 500
    send_out()
    for switched in (False, True):
        with atomic(of(merchant, False)) as connection:
            change_endpoint(connection, endpoint_id=endpoint_id, active=switched, actor="test")
    receiver.answers["/hook"] = 204
    receiver.received.clear()
    assert replay_failed(merchant_id=merchant, live=False, endpoint_id=endpoint_id, actor="test") == 3
    assert replay_failed(merchant_id=merchant, live=False, endpoint_id=endpoint_id, actor="test") == 0
    assert send_out() == 3
    assert [one.event["type"] for one in receiver.at("/hook")] == list(names)


def test_a_replay_holds_back_nothing_new(merchant, receiver):
    endpoint(merchant, f"{receiver.url}/hook")
    payment_id = uuid4()
    happen(merchant, "capture.pending", payment_id=payment_id)
    send_out()
    receiver.answers["/hook"] = lambda one: 500 if one.event["type"] == "capture.pending" else 204
    [row] = waiting(merchant)
    replay(merchant_id=merchant, live=False, delivery_id=row["id"], actor="test")
    send_out()
    happen(merchant, "refund.pending", payment_id=payment_id)
    assert send_out() == 1
    time_passes(timedelta(hours=80), merchant)
    receiver.answers["/hook"] = 204
    assert send_out() == 1


def test_lists_go_page_by_page_newest_first(merchant, receiver):
    endpoint_id, _ = endpoint(merchant, f"{receiver.url}/hook")
    payment_id = uuid4()
    happen(merchant, *["capture.pending"] * 3, payment_id=payment_id)
    send_out()
    with reading(of(merchant, False)) as connection:
        pages, after = [], None
        while page := queries.deliveries(connection, limit=2, after=after, endpoint_id=endpoint_id, state="delivered"):
            pages.append(page)
            after = (page[-1]["created_at"], page[-1]["id"])
        of_payment, _ = queries.told_of_payment(connection, payment_id)
    assert [len(page) for page in pages] == [2, 1]
    assert len({row["id"] for page in pages for row in page}) == 3
    assert [row["position"] for row in of_payment] == sorted(row["position"] for row in of_payment)
    assert {row["event_name"] for row in of_payment} == {"capture.pending"}
