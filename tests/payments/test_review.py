"""Releasing held payments, asking by hand, and what can be done with a payment."""

import pytest
from sqlalchemy import text

from app.core.db import ALL, reading
from app.core.errors import NotFound
from app.core.idempotency import Once, Repeated
from app.core.ids import uuid7
from app.payments.capture import HeldForReview, capture
from app.payments.enquire import enquire_now
from app.payments.history import history, overview
from app.payments.possible import possible
from app.payments.review import NotHeld, release
from tests import factories
from tests.books import booked, told

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def shop(context, acquirers):
    return factories.tenant(acquirers["A"])


def to(shop, done):
    return {"merchant_id": shop.merchant_id, "live": False, "payment_id": done.payment["id"], "actor": "staff:usr_1"}


def test_a_released_payment_can_be_captured(shop):
    done = factories.held_for_review(shop, 5_000)
    with pytest.raises(HeldForReview):
        capture(**to(shop, done))
    assert release(**to(shop, done), reason="known customer") is None
    assert "payment.released" in told(done.payment["id"])
    assert capture(**to(shop, done)).payment["status"] == "captured"


def test_an_automatic_one_is_captured_at_once(shop):
    factories.held_for_review(shop, 5_000)
    done = factories.authorised(shop, 6_000, capture_mode="automatic")
    assert done.payment["status"] == "authorised"
    captured = release(**to(shop, done))
    assert captured is not None and captured.payment["status"] == "captured"
    assert booked(done.payment["id"]) == {"provider_balance": 6_000, "payer_clearing": -6_000}


def test_only_a_held_payment_is_released_and_only_once(shop):
    with pytest.raises(NotHeld):
        release(**to(shop, factories.authorised(shop)))
    done = factories.held_for_review(shop, 5_000)
    once = Once("form:1", "release", b"")
    release(**to(shop, done), once=once)
    with pytest.raises(Repeated):
        release(**to(shop, done), once=once)
    with pytest.raises(NotHeld):
        release(**to(shop, done))
    with pytest.raises(NotFound):
        release(merchant_id=shop.merchant_id, live=False, payment_id=uuid7(), actor="test")


def test_another_merchants_payment_does_not_exist(shop, acquirers):
    done = factories.held_for_review(shop, 5_000)
    other = factories.tenant(acquirers["A"])
    with pytest.raises(NotFound):
        release(**to(other, done))


def test_asking_by_hand_is_told_and_finds_the_answer(shop, acquirers):
    done = factories.authorised(shop, 5_000)
    acquirers["A"].control(next="garbled")
    silent = capture(**to(shop, done))
    assert silent.operation["state"] == "unknown"
    who = {"merchant_id": shop.merchant_id, "live": False, "actor": "staff:usr_1"}
    asked = enquire_now(silent.operation["id"], **who)
    assert asked.operation["state"] == "succeeded"
    with reading(ALL) as connection:
        query = text("SELECT actor FROM events WHERE payment_id = :id AND name = 'operation.enquired'")
        assert connection.execute(query, {"id": done.payment["id"]}).scalar_one() == "staff:usr_1"
    with pytest.raises(NotFound):
        enquire_now(uuid7(), **who)


def can(done):
    with reading(ALL) as connection:
        return possible(connection, overview(connection, done.payment["id"]))


def codes(done):
    offered = can(done)
    return {
        verb: offer.refused.code if offer.refused else offer.amount
        for verb, offer in (("capture", offered.capture), ("refund", offered.refund), ("cancel", offered.cancel))
    }


def test_what_is_possible_is_what_the_operations_would_allow(shop):
    assert codes(factories.authorised(shop, 5_000)) == {
        "capture": 5_000,
        "refund": "nothing_to_refund",
        "cancel": 5_000,
    }
    captured = factories.captured(shop, 5_000)
    assert codes(captured) == {"capture": "nothing_to_capture", "refund": 5_000, "cancel": "nothing_to_cancel"}
    failed = factories.authorised(shop, card=factories.card("insufficient_funds"))
    assert codes(failed) == {
        "capture": "nothing_to_capture",
        "refund": "nothing_to_refund",
        "cancel": 0,
    }, "what has failed can be closed"
    waiting = factories.authorised(shop, card=factories.card("challenge"))
    assert codes(waiting)["cancel"] == 0, "an attempt that waits for the payer can be closed"


def test_looking_locks_nothing(shop):
    done = factories.authorised(shop)
    with reading(ALL) as connection:
        possible(connection, overview(connection, done.payment["id"]))
        locks = "SELECT count(*) FROM pg_locks WHERE mode = 'RowShareLock' AND pid = pg_backend_pid()"
        assert connection.execute(text(locks)).scalar_one() == 0


def test_the_history_holds_everything_about_a_payment(shop):
    done = factories.captured(shop, 5_000)
    with reading(ALL) as connection:
        story = history(connection, done.payment["id"])
        assert [one["kind"] for one in story.operations] == ["authorise", "capture"]
        assert {one["code"] for one in story.bookings} == {"provider_balance", "payer_clearing"}
        assert story.events[-1]["name"] == "payment.created"
        assert len(story.authorisations) == len(story.risk) == len(story.routing) == 1
        assert story.payment["merchant_name"].startswith("Merchant")
        with pytest.raises(NotFound):
            history(connection, uuid7())
