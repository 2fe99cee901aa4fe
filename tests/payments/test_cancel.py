"""Cancelling: the state, what was told, what was booked (nothing)."""

import pytest
from sqlalchemy import select

from app.core.db import ALL, atomic, of, reading
from app.core.idempotency import Once, Repeated
from app.payments.attempt import Means
from app.payments.authorise import AlreadyPaid, authorise
from app.payments.cancel import NothingToCancel, cancel
from app.payments.capture import capture
from app.payments.checkout import CheckoutClosed, open_checkout, pay, read
from app.payments.resolve import resolve_due
from app.payments.resume import resume
from app.payments.start import start
from app.receivables.models import Collector
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


@pytest.mark.parametrize("tried", [False, True])
def test_what_is_not_paid_yet_is_closed_without_a_call(act, tenant, acquirers, tried):
    if tried:
        payment = factories.authorised(tenant, card=factories.card("insufficient_funds")).payment
    else:
        payment = _started(act)
    asked = len(acquirers["A"].did())
    closed = cancel(**act, payment_id=payment["id"], reason="out of stock", once=Once("k", "test", b""))
    assert (closed.payment["status"], closed.payment["stage"]) == ("cancelled", "cancelled")
    assert closed.operation.get("state") == ("declined" if tried else None)
    assert told(payment["id"])[-1] == "payment.cancelled"
    assert booked(payment["id"]) == {} and len(acquirers["A"].did()) == asked
    with pytest.raises(AlreadyPaid):
        authorise(**act, payment_id=payment["id"], means=Means("card", card=factories.GOOD_CARD))
    with pytest.raises(Repeated):
        cancel(**act, payment_id=payment["id"], reason="out of stock", once=Once("k", "test", b""))
    with pytest.raises(NothingToCancel):
        cancel(**act, payment_id=payment["id"])
    assert broken_proofs() == {}


@pytest.mark.parametrize("tried", [None, "insufficient_funds", "challenge"])
def test_with_its_payment_a_checkout_is_closed_and_its_debt_is_free(act, tenant, tried):
    opened = open_checkout(factories.an_order(), **act)
    if tried:
        pay(opened, Means("card", card=factories.card(tried)))
    closed = cancel(**act, payment_id=opened.payment["id"])
    assert closed.payment["status"] == "cancelled"
    assert read(opened.checkout["id"]).checkout["state"] == "cancelled"
    assert "checkout.cancelled" in told(opened.payment["id"]) and booked(opened.payment["id"]) == {}
    with pytest.raises(CheckoutClosed):
        pay(opened, Means("card", card=factories.GOOD_CARD))
    with reading(ALL) as connection:
        query = select(Collector.state).where(Collector.payment_id == opened.payment["id"])
        assert set(connection.execute(query).scalars()) <= {"released"}


def test_a_yes_that_comes_after_a_failed_payment_was_closed_is_given_back(app, act, tenant):
    done = factories.authorised(tenant, 4_322, card=factories.card("insufficient_funds"))
    cancel(**act, payment_id=done.payment["id"])
    factories.hear(tenant, done, "authorise", "approved", 4_322, reference="late-yes")
    assert told(done.payment["id"])[-1] == "payment.late_approval_reversed"
    assert factories.fresh(done)["cancel_pending"] == 4_322 and booked(done.payment["id"]) == {}


def _started(act):
    with atomic(of(act["merchant_id"], act["live"])) as connection:
        return start(connection, factories.an_order(), **act)
