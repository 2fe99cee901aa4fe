"""Capturing: the state, what was told, what was booked."""

import pytest

from app.payments.capture import CaptureTooHigh, NothingToCapture, capture
from tests import factories
from tests.books import booked, told

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


def test_part_and_rest_can_be_captured(tenant, acquirers):
    payment_id = factories.authorised(tenant, 10_000).payment["id"]
    first = capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment_id, amount=2_500, actor="test")
    assert first.payment["status"] == "partially_captured"
    rest = capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment_id, actor="test")
    assert rest.payment["status"] == "captured"
    assert told(payment_id)[-2:] == ["capture.submitted", "capture.succeeded"]
    assert booked(payment_id) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert [line["amount"] for line in acquirers["A"].did(done="captured")][-2:] == [2_500, 7_500]


def test_more_than_is_left_is_refused_and_nothing_changes(tenant):
    payment_id = factories.authorised(tenant, 10_000).payment["id"]
    before = told(payment_id)
    with pytest.raises(CaptureTooHigh) as refusal:
        capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment_id, amount=10_001, actor="test")
    assert refusal.value.values == {"left": 10_000}
    assert told(payment_id) == before
    assert booked(payment_id) == {}


def test_a_captured_payment_has_nothing_left(tenant):
    payment_id = factories.authorised(tenant, 10_000).payment["id"]
    capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment_id, actor="test")
    with pytest.raises(NothingToCapture):
        capture(merchant_id=tenant.merchant_id, live=False, payment_id=payment_id, actor="test")
