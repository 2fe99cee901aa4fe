"""Cancelling: the state, what was told, what was booked (nothing)."""

import pytest

from app.payments.cancel import NothingToCancel, cancel
from app.payments.capture import capture
from app.payments.resolve import resolve_due
from app.payments.resume import resume
from tests import factories
from tests.books import booked, broken_proofs, told


def test_an_authorised_payment_is_cancelled(act, tenant, acquirers):
    done = factories.authorised(tenant, 10_000)
    cancelled = cancel(**act, payment_id=done.payment["id"], reason="out of stock")
    assert (cancelled.payment["status"], cancelled.payment["cancelled"]) == ("cancelled", 10_000)
    assert told(done.payment["id"])[-2:] == ["cancellation.submitted", "cancellation.succeeded"]
    assert booked(done.payment["id"]) == {}
    assert len(acquirers["A"].did(done="cancelled", amount=10_000)) >= 1


def test_the_rest_is_cancelled_after_a_part_was_captured(act, tenant):
    payment_id = factories.authorised(tenant, 10_000).payment["id"]
    capture(**act, payment_id=payment_id, amount=3_000)
    rest = cancel(**act, payment_id=payment_id)
    assert (rest.payment["status"], rest.payment["cancelled"]) == ("captured", 7_000)
    assert booked(payment_id) == {"provider_balance": 3_000, "payer_clearing": -3_000}


def test_a_captured_payment_cannot_be_cancelled(act, tenant):
    payment_id = factories.captured(tenant).payment["id"]
    with pytest.raises(NothingToCancel):
        cancel(**act, payment_id=payment_id)


def test_a_payment_that_waits_for_the_payer_is_closed_at_once(act, tenant):
    done = factories.authorised(tenant, card=factories.card("challenge"))
    closed = cancel(**act, payment_id=done.payment["id"])
    assert closed.payment["status"] == "cancelled"
    assert told(done.payment["id"])[-1] == "authorisation.declined"


def test_a_yes_that_comes_after_the_cancellation_is_given_back_by_itself(app, act, tenant, acquirers):
    done = factories.authorised(tenant, 4_321, card=factories.card("challenge"))
    cancel(**act, payment_id=done.payment["id"])
    factories.hear(tenant, done, "authorise", "approved", 4_321, reference="late-yes")
    assert told(done.payment["id"])[-1] == "payment.late_approval_reversed"
    assert "authorisation.succeeded" in told(done.payment["id"])
    # the page's own way back finds nothing to resume
    again = resume(
        merchant_id=tenant.merchant_id, live=False, operation_id=done.operation["id"], parameters={}, actor="payer"
    )
    assert again.payment["cancel_pending"] == 4_321
    resolve_due(app)
    assert factories.fresh(done)["cancel_pending"] in (0, 4_321)
    assert booked(done.payment["id"]) == {}
    assert broken_proofs() == {}
