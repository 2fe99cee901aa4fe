"""The last capture: what it leaves is given up, whether its provider says so, keeps silent, or does nothing."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from app.connectors.kinds import News, Outcome
from app.core.db import ALL, atomic, reading
from app.core.ids import public_id
from app.payments import news
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.capture import LastCaptureUnderWay, NothingToCapture, capture
from app.payments.history import overview
from app.payments.possible import possible
from app.payments.public import payment_picture
from tests import factories
from tests.books import booked, broken_proofs, told
from tests.connectors.peers import adyen, paypal
from tests.payments import wallets


@pytest.fixture(scope="module")
def peers() -> Iterator[SimpleNamespace]:
    with paypal.peer() as wallet, adyen.peer() as acquirer:
        yield SimpleNamespace(paypal=wallet, adyen=acquirer)


@pytest.fixture
def at_adyen(tenant, act, peers):
    """100.00 at Adyen: (contract's id, payment's id)."""
    contract_id = wallets.add_adyen(tenant, peers.adyen)
    means = Means("card", card=adyen.card())
    return contract_id, authorise(**act, order=factories.an_order(10_000), means=means).payment["id"]


def _offered(payment_id):
    with reading(ALL) as connection:
        payment = overview(connection, payment_id)
        return payment, possible(connection, payment)


def test_paypal_gives_the_rest_back_without_saying_so(act, tenant, peers):
    wallets.add_wallet(tenant, peers.paypal)
    payment_id = wallets.authorised(act).payment["id"]
    capture(**act, payment_id=payment_id, amount=3_000)
    done = capture(**act, payment_id=payment_id, amount=4_000, final=True)
    assert (done.payment["status"], done.payment["captured"], done.payment["cancelled"]) == ("captured", 7_000, 3_000)
    payment, offered = _offered(payment_id)
    assert isinstance(offered.capture.refused, NothingToCapture)
    assert payment_picture(payment)["amount_capturable"] == 0
    with pytest.raises(NothingToCapture):
        capture(**act, payment_id=payment_id, amount=1_000)
    assert told(payment_id)[-1] == "capture.succeeded"
    assert booked(payment_id) == {"provider_balance": 7_000, "payer_clearing": -7_000}
    assert broken_proofs() == {}


def test_a_capture_that_is_not_the_last_leaves_the_rest(act, tenant, peers):
    wallets.add_wallet(tenant, peers.paypal)
    payment_id = wallets.authorised(act).payment["id"]
    done = capture(**act, payment_id=payment_id, amount=4_000)
    assert (done.payment["status"], done.payment["cancelled"]) == ("partially_captured", 0)
    assert capture(**act, payment_id=payment_id).payment["status"] == "captured"
    assert told(payment_id)[-1] == "capture.succeeded"
    assert booked(payment_id) == {"provider_balance": 10_000, "payer_clearing": -10_000}


def test_at_adyen_the_rest_is_not_taken_any_more(act, at_adyen):
    contract_id, payment_id = at_adyen
    last = capture(**act, payment_id=payment_id, amount=4_000, final=True)
    assert last.operation["state"] == "pending"
    _, offered = _offered(payment_id)
    assert isinstance(offered.capture.refused, LastCaptureUnderWay) and offered.rest_lapses
    with pytest.raises(LastCaptureUnderWay):
        capture(**act, payment_id=payment_id, amount=1_000)
    _hear(contract_id, last, "approved")
    payment, offered = _offered(payment_id)
    assert (payment["status"], payment["captured"], payment["cancelled"]) == ("captured", 4_000, 6_000)
    assert isinstance(offered.capture.refused, NothingToCapture)
    assert told(payment_id)[-2:] == ["capture.pending", "capture.succeeded"]
    assert booked(payment_id) == {"provider_balance": 4_000, "payer_clearing": -4_000}
    assert broken_proofs() == {}


def test_a_last_capture_that_was_refused_is_not_the_last(act, at_adyen):
    contract_id, payment_id = at_adyen
    last = capture(**act, payment_id=payment_id, amount=4_000, final=True)
    _hear(contract_id, last, "declined")
    payment, offered = _offered(payment_id)
    assert (payment["status"], payment["cancelled"], offered.capture.amount) == ("authorised", 0, 10_000)
    assert capture(**act, payment_id=payment_id, amount=1_000).operation["state"] == "pending"
    assert told(payment_id)[-3:] == ["capture.declined", "capture.submitted", "capture.pending"]
    assert booked(payment_id) == {}


def test_what_another_capture_has_reserved_is_not_given_up(act, at_adyen):
    contract_id, payment_id = at_adyen
    first = capture(**act, payment_id=payment_id, amount=3_000)
    last = capture(**act, payment_id=payment_id, amount=4_000, final=True)
    _hear(contract_id, last, "approved")
    payment, _ = _offered(payment_id)
    assert (payment["captured"], payment["capture_pending"], payment["cancelled"]) == (4_000, 3_000, 3_000)
    _hear(contract_id, first, "approved")
    payment, _ = _offered(payment_id)
    assert (payment["status"], payment["captured"], payment["over_captured"]) == ("captured", 7_000, 0)
    assert told(payment_id)[-2:] == ["capture.succeeded", "capture.succeeded"]
    assert booked(payment_id) == {"provider_balance": 7_000, "payer_clearing": -7_000}
    assert broken_proofs() == {}


def _hear(contract_id, done, outcome):
    key = public_id("op", done.operation["id"])
    fact = News(
        id=f"{key}-{outcome}",
        kind="capture",
        outcome=Outcome(outcome),
        amount=done.operation["amount"],
        currency="EUR",
        operation_key=key,
        provider_reference=done.operation["provider_reference"],
    )
    with atomic(ALL) as connection:
        assert news.book(connection, contract_id, fact)
