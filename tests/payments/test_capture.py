"""Capturing: the state, what was told, what was booked."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.errors import NotFound
from app.payments.capture import (
    AuthorisationExpired,
    CapturedOnce,
    CaptureTooHigh,
    HeldForReview,
    NothingToCapture,
    capture,
)
from app.payments.queries import OPERATIONS
from app.payments.resolve import resolve
from tests import factories
from tests.books import booked, broken_proofs, told


def test_part_and_rest_can_be_captured(act, tenant, acquirers):
    payment_id = factories.authorised(tenant, 10_000).payment["id"]
    first = capture(**act, payment_id=payment_id, amount=2_500)
    assert first.payment["status"] == "partially_captured"
    rest = capture(**act, payment_id=payment_id)
    assert rest.payment["status"] == "captured"
    assert told(payment_id)[-2:] == ["capture.submitted", "capture.succeeded"]
    assert booked(payment_id) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert [line["amount"] for line in acquirers["A"].did(done="captured")][-2:] == [2_500, 7_500]
    assert broken_proofs() == {}


def test_more_than_is_left_is_refused_and_nothing_changes(act, tenant):
    payment_id = factories.authorised(tenant, 10_000).payment["id"]
    before = told(payment_id)
    with pytest.raises(CaptureTooHigh) as refusal:
        capture(**act, payment_id=payment_id, amount=10_001)
    assert refusal.value.values == {"left": 10_000}
    assert told(payment_id) == before
    assert booked(payment_id) == {}


@pytest.mark.parametrize("amount", [0, -5])
def test_nothing_or_less_cannot_be_captured(act, tenant, amount):
    payment_id = factories.authorised(tenant).payment["id"]
    with pytest.raises(CaptureTooHigh):
        capture(**act, payment_id=payment_id, amount=amount)


def test_a_captured_payment_has_nothing_left(act, tenant):
    payment_id = factories.captured(tenant).payment["id"]
    with pytest.raises(NothingToCapture):
        capture(**act, payment_id=payment_id)


def test_a_refused_capture_frees_what_it_reserved(act, tenant):
    payment_id = factories.authorised(tenant, 20_000).payment["id"]
    refused = capture(**act, payment_id=payment_id, amount=6_601)
    assert (refused.operation["state"], refused.payment["status"]) == ("declined", "authorised")
    assert refused.payment["capture_pending"] == 0
    assert told(payment_id)[-1] == "capture.declined"
    assert booked(payment_id) == {}
    assert capture(**act, payment_id=payment_id).payment["status"] == "captured"


def test_a_capture_without_an_answer_stays_reserved(act, tenant):
    payment_id = factories.authorised(tenant, 20_000).payment["id"]
    silent = capture(**act, payment_id=payment_id, amount=16_604)
    assert (silent.operation["state"], silent.payment["capture_pending"]) == ("unknown", 16_604)
    assert told(payment_id)[-1] == "capture.outcome_unknown"
    with pytest.raises(CaptureTooHigh):
        capture(**act, payment_id=payment_id, amount=16_604)


def test_where_only_one_capture_is_possible_the_rest_is_released_and_booked_as_cancelled(context, acquirers):
    tenant = factories.tenant(acquirers["C"])
    done = factories.authorised(tenant, 10_000)
    act = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test", "payment_id": done.payment["id"]}
    part = capture(**act, amount=4_000, final=True)
    assert (part.payment["captured"], part.payment["cancelled"], part.payment["refunded"]) == (4_000, 6_000, 0)
    assert part.payment["status"] == "captured"
    assert booked(done.payment["id"]) == {"provider_balance": 4_000, "payer_clearing": -4_000}
    with pytest.raises((NothingToCapture, CapturedOnce)):
        capture(**act)


def test_all_that_is_left_is_not_the_last_capture_while_another_is_unclear(act, tenant):
    """As the last one it would release what the other may still need."""
    done = factories.authorised(tenant, 20_000)
    unclear = capture(**act, payment_id=done.payment["id"], amount=6_611)  # never arrived
    rest = capture(**act, payment_id=done.payment["id"])
    assert (unclear.operation["state"], rest.operation["final"]) == ("unknown", False)
    _surely_lost(tenant, unclear)
    again = capture(**act, payment_id=done.payment["id"], amount=6_000)
    assert again.operation["state"] == "succeeded"
    assert capture(**act, payment_id=done.payment["id"]).payment["status"] == "captured"
    assert broken_proofs() == {}


def test_a_rest_that_was_released_is_booked_although_a_capture_of_it_is_unclear(act, tenant):
    done = factories.authorised(tenant, 20_000)
    unclear = capture(**act, payment_id=done.payment["id"], amount=6_611)  # never arrived
    last = capture(**act, payment_id=done.payment["id"], amount=5_000, final=True)
    assert (last.payment["captured"], last.payment["cancelled"], last.payment["over_captured"]) == (
        5_000,
        15_000,
        6_611,
    )
    _surely_lost(tenant, unclear)
    payment = factories.fresh(done)
    assert (payment["status"], payment["over_captured"]) == ("captured", 0)
    assert booked(done.payment["id"]) == {"provider_balance": 5_000, "payer_clearing": -5_000}
    assert broken_proofs() == {}


def _surely_lost(tenant, done) -> None:
    with atomic(ALL) as connection:
        connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.id == done.operation["id"])
            .values(updated_at=now() - timedelta(seconds=90))  # and so sent, at the latest
        )
    found = resolve(done.operation["id"], merchant_id=tenant.merchant_id, live=False)
    assert found.operation["state"] == "failed"


def test_a_payment_held_for_review_waits(act, tenant):
    done = factories.held_for_review(tenant)
    with pytest.raises(HeldForReview):
        capture(**act, payment_id=done.payment["id"])


def test_an_expired_authorisation_is_not_captured(act, tenant):
    payment_id = factories.authorised(tenant).payment["id"]
    factories.move_clock(tenant, days=8)
    with pytest.raises(AuthorisationExpired):
        capture(**act, payment_id=payment_id)


def test_another_merchants_payment_does_not_exist(act, acquirers):
    theirs = factories.authorised(factories.tenant(acquirers["A"]))
    with pytest.raises(NotFound):
        capture(**act, payment_id=theirs.payment["id"])
    assert told(theirs.payment["id"])[-1] == "authorisation.succeeded"
