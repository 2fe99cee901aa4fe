"""Refunding: the state, what was told, what was booked."""

import pytest

from app.core.errors import NotFound
from app.payments.capture import capture
from app.payments.refund import NothingToRefund, RefundTooHigh, refund
from tests import factories
from tests.books import booked, broken_proofs, told


def test_part_and_rest_can_be_refunded(act, tenant, acquirers):
    payment_id = factories.captured(tenant, 10_000).payment["id"]
    part = refund(**act, payment_id=payment_id, amount=1_250, reason="damaged")
    assert part.payment["status"] == "partially_refunded"
    rest = refund(**act, payment_id=payment_id)
    assert (rest.payment["status"], rest.payment["refunded"]) == ("refunded", 10_000)
    assert told(payment_id)[-2:] == ["refund.submitted", "refund.succeeded"]
    assert booked(payment_id) == {}
    assert [line["amount"] for line in acquirers["A"].did(done="refunded")][-2:] == [1_250, 8_750]
    assert broken_proofs() == {}


def test_a_refund_may_span_several_captures(act, tenant):
    payment_id = factories.authorised(tenant, 9_000).payment["id"]
    for amount in (2_000, 3_000, 4_000):
        capture(**act, payment_id=payment_id, amount=amount)
    done = refund(**act, payment_id=payment_id, amount=8_000)
    assert done.payment["refunded"] == 8_000
    assert booked(payment_id) == {"provider_balance": 1_000, "payer_clearing": -1_000}
    assert refund(**act, payment_id=payment_id).payment["status"] == "refunded"


def test_more_than_was_captured_is_refused(act, tenant):
    payment_id = factories.authorised(tenant, 10_000).payment["id"]
    capture(**act, payment_id=payment_id, amount=4_000)
    with pytest.raises(RefundTooHigh) as refusal:
        refund(**act, payment_id=payment_id, amount=4_001)
    assert refusal.value.values == {"left": 4_000}
    assert booked(payment_id) == {"provider_balance": 4_000, "payer_clearing": -4_000}


def test_what_was_not_captured_cannot_be_refunded(act, tenant):
    payment_id = factories.authorised(tenant).payment["id"]
    with pytest.raises(NothingToRefund):
        refund(**act, payment_id=payment_id)


def test_a_refused_refund_frees_what_it_reserved(act, tenant):
    payment_id = factories.captured(tenant, 20_000).payment["id"]
    refused = refund(**act, payment_id=payment_id, amount=6_601)
    assert (refused.operation["state"], refused.payment["refund_pending"]) == ("declined", 0)
    assert told(payment_id)[-1] == "refund.declined"
    assert booked(payment_id) == {"provider_balance": 20_000, "payer_clearing": -20_000}


def test_a_refund_that_comes_later_is_pending_and_reserved(act, tenant):
    payment_id = factories.captured(tenant, 20_000).payment["id"]
    waiting = refund(**act, payment_id=payment_id, amount=16_607)
    assert (waiting.operation["state"], waiting.payment["refund_pending"]) == ("pending", 16_607)
    assert told(payment_id)[-1] == "refund.pending"
    with pytest.raises(RefundTooHigh):
        refund(**act, payment_id=payment_id, amount=16_607)


def test_another_merchants_payment_does_not_exist(act, acquirers):
    theirs = factories.captured(factories.tenant(acquirers["A"]))
    with pytest.raises(NotFound):
        refund(**act, payment_id=theirs.payment["id"])
    assert booked(theirs.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}
