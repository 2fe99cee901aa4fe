"""A fading authorisation is renewed by itself before it is captured."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.connectors.kinds import News, Outcome
from app.core.db import ALL, atomic, of, reading
from app.core.idempotency import Once
from app.payments import expire, news
from app.payments.cancel import cancel
from app.payments.capture import CaptureTooHigh, NothingToCapture, capture
from app.payments.history import overview
from app.payments.perform import Done
from app.payments.possible import possible
from app.payments.queries import AUTHORISATIONS
from app.payments.reauthorise import RenewalUnderWay
from app.payments.refund import refund
from app.payments.resolve import resolve, resolve_due
from tests import factories
from tests.books import booked, broken_proofs, told
from tests.payments import wallets


def test_after_the_honour_period_a_capture_renews_the_authorisation_first(context, acquirers):
    tenant = factories.tenant(acquirers["A"], honour_days=2)
    act = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    payment_id = factories.authorised(tenant, 10_000).payment["id"]
    capture(**act, payment_id=payment_id, amount=4_000)
    factories.move_clock(tenant, days=3)
    done = capture(**act, payment_id=payment_id)
    assert (done.payment["status"], done.payment["captured"]) == ("captured", 10_000)
    assert (done.payment["authorised"], done.payment["cancelled"]) == (16_000, 6_000)
    assert [(row.is_open, row.captured, row.cancelled) for row in _authorisations(payment_id)] == [
        (False, 4_000, 6_000),
        (True, 6_000, 0),
    ]
    assert booked(payment_id) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert told(payment_id).count("authorisation.submitted") == 2
    assert told(payment_id).count("authorisation.succeeded") == 2
    assert refund(**act, payment_id=payment_id, amount=9_000).payment["refunded"] == 9_000
    assert broken_proofs() == {}


def test_a_renewal_that_was_refused_is_not_asked_for_again(context, acquirers):
    tenant = factories.tenant(acquirers["A"], honour_days=2)
    act = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    payment_id = factories.authorised(tenant, 6_601).payment["id"]  # an amount whose renewal is declined
    factories.move_clock(tenant, days=3)
    assert capture(**act, payment_id=payment_id, amount=1_000).operation["state"] == "succeeded"
    assert capture(**act, payment_id=payment_id, amount=2_000).operation["state"] == "succeeded"
    assert told(payment_id).count("authorisation.submitted") == 2
    assert [row.captured for row in _authorisations(payment_id)] == [3_000, 0]
    assert broken_proofs() == {}


def _authorisations(payment_id):
    with reading(ALL) as connection:
        return connection.execute(
            select(*(AUTHORISATIONS.c[name] for name in ("is_open", "captured", "cancelled", "provider_reference")))
            .where(AUTHORISATIONS.c.payment_id == payment_id)
            .order_by(AUTHORISATIONS.c.attempt)
        ).all()


@pytest.fixture
def renewing(context, acquirers):
    """100.00 whose honour period is over and whose renewal has no answer: (tenant, act, payment, renewal)."""
    tenant = factories.tenant(acquirers["A"], honour_days=2)
    act = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    done = factories.authorised(tenant, 10_000)
    factories.move_clock(tenant, days=3)
    acquirers["A"].control(next="garbled")
    with pytest.raises(RenewalUnderWay):
        capture(**act, payment_id=done.payment["id"])
    [renewal] = [row for row in wallets.operations(done.payment["id"], "authorise") if row["state"] == "unknown"]
    return tenant, act, done, renewal


def _answered(renewal):
    """The resolver asks, and hears the yes."""
    return resolve(renewal["id"], merchant_id=renewal["merchant_id"], live=renewal["live"])


def _shown(payment_id):
    with reading(ALL) as connection:
        return possible(connection, overview(connection, payment_id))


def test_while_a_renewal_has_no_answer_nothing_is_captured(renewing):
    _, act, done, renewal = renewing
    payment_id = done.payment["id"]
    assert isinstance(_shown(payment_id).capture.refused, RenewalUnderWay)
    with pytest.raises(RenewalUnderWay):
        capture(**act, payment_id=payment_id, amount=4_000, once=Once("k", "test", b""))
    assert told(payment_id).count("authorisation.submitted") == 2, "and it is not asked for again"
    assert factories.fresh(done)["captured"] == 0 and booked(payment_id) == {}
    _answered(renewal)
    assert capture(**act, payment_id=payment_id, once=Once("k", "test", b"")).payment["captured"] == 10_000
    assert [(row.is_open, row.captured, row.cancelled) for row in _authorisations(payment_id)] == [
        (False, 0, 10_000),
        (True, 10_000, 0),
    ]
    assert booked(payment_id) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert broken_proofs() == {}


@pytest.mark.parametrize("answered", [False, True])
def test_a_renewal_that_is_granted_after_the_payment_was_cancelled_is_given_back(app, renewing, acquirers, answered):
    """`answered`: was the cancellation, before the yes came?"""
    tenant, act, done, renewal = renewing
    payment_id = done.payment["id"]
    acquirers["A"].control(next="garbled")
    cancelled = cancel(**act, payment_id=payment_id)
    if answered:
        factories.hear(tenant, cancelled, "cancel", "approved", 10_000, reference="c-1")
        assert factories.fresh(done)["status"] == "cancelled"
    _answered(renewal)
    assert told(payment_id)[-2:] == ["authorisation.succeeded", "payment.late_approval_reversed"]
    assert [row.is_open for row in _authorisations(payment_id)] == [not answered, False]
    with pytest.raises(NothingToCapture):
        capture(**act, payment_id=payment_id)
    if not answered:
        factories.hear(tenant, cancelled, "cancel", "approved", 10_000, reference="c-1")
    resolve_due(app)
    payment = factories.fresh(done)
    assert (payment["status"], payment["authorised"], payment["cancelled"]) == ("cancelled", 20_000, 20_000)
    assert booked(payment_id) == {}
    assert broken_proofs() == {}


def test_a_renewal_that_is_granted_after_it_has_lapsed_is_given_back(app, renewing):
    tenant, _, done, renewal = renewing
    factories.move_clock(tenant, days=9)
    expire.expire_authorisations(1_000)
    assert factories.fresh(done)["status"] == "expired"
    _answered(renewal)
    resolve_due(app)
    payment = factories.fresh(done)
    assert (payment["status"], payment["authorised"], payment["cancelled"]) == ("expired", 20_000, 20_000)
    assert told(done.payment["id"])[-1] == "cancellation.succeeded" and booked(done.payment["id"]) == {}
    assert broken_proofs() == {}


@pytest.mark.parametrize("taken", [4_000, 10_000])
def test_what_was_captured_at_the_provider_meanwhile_is_not_reserved_twice(app, renewing, taken):
    tenant, act, done, renewal = renewing
    payment_id = done.payment["id"]
    reference = _authorisations(payment_id)[0].provider_reference
    fact = News("n", "capture", Outcome.APPROVED, taken, "EUR", authorisation_reference=reference)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, replace(fact, id=str(payment_id), provider_reference="c-1"))
    _answered(renewal)
    resolve_due(app)
    payment = factories.fresh(done)
    assert (payment["captured"], payment["authorised"] - payment["cancelled"]) == (taken, 10_000)
    assert payment["status"] == ("captured" if taken == 10_000 else "partially_captured")
    assert sum(row.is_open for row in _authorisations(payment_id)) == 1
    if taken == 10_000:
        assert told(payment_id).count("payment.late_approval_reversed") == 1
        with pytest.raises(NothingToCapture):
            capture(**act, payment_id=payment_id)
    else:
        with pytest.raises(CaptureTooHigh):
            capture(**act, payment_id=payment_id, amount=6_001)
        assert capture(**act, payment_id=payment_id).payment["captured"] == 10_000
    assert booked(payment_id) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert broken_proofs() == {}


def test_a_yes_after_a_no_to_a_renewal_reserves_what_is_left(context, acquirers):
    """Its no stood, so that the old one was captured; then the acquirer said yes after all."""
    tenant = factories.tenant(acquirers["A"], honour_days=2)
    act = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    done = factories.authorised(tenant, 6_601)  # an amount whose renewal is declined
    factories.move_clock(tenant, days=3)
    capture(**act, payment_id=done.payment["id"], amount=1_000)
    renewal = wallets.operations(done.payment["id"], "authorise")[1]
    assert renewal["state"] == "declined"
    factories.hear(tenant, Done(done.payment, renewal), "authorise", "approved", 6_601, reference="renewal-1")
    payment = factories.fresh(done)
    assert (payment["status"], payment["captured"]) == ("partially_captured", 1_000)
    assert (payment["authorised"], payment["cancelled"]) == (13_202, 5_601 + 1_000)
    assert told(done.payment["id"])[-3:].count("cancellation.succeeded") == 2
    assert booked(done.payment["id"]) == {"provider_balance": 1_000, "payer_clearing": -1_000}
    assert broken_proofs() == {}
