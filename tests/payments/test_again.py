"""PayPal: a request whose answer was lost is sent again under its key, and has happened once, wherever it was lost."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import update

from app.connectors.kinds import Contract
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.payments.again import again, way
from app.payments.attempt import Means
from app.payments.authorise import AttemptUnderWay, authorise
from app.payments.cancel import cancel
from app.payments.capture import capture
from app.payments.queries import OPERATIONS, read_operation
from app.payments.reauthorise import RenewalUnderWay
from app.payments.refund import refund
from app.payments.resolve import resolve
from app.payments.resume import resume
from tests import factories
from tests.books import booked, broken_proofs, told
from tests.connectors.peers import paypal as peer
from tests.payments import wallets

LOST = pytest.mark.parametrize("lost", ["server_error", "garbled"])  # before it worked, and after


@pytest.fixture
def wallet() -> Iterator[Contract]:
    with peer.peer() as contract:
        yield contract


@pytest.fixture
def act(act, tenant, wallet):
    wallets.add_wallet(tenant, wallet, honour_days=3)
    return act


def _lose(wallet, verb, lost):
    peer.control(wallet, next={"verb": verb, "do": lost})


def _resolved(act, done):
    assert done.operation["state"] == "unknown"
    return resolve(done.operation["id"], merchant_id=act["merchant_id"], live=False)


@LOST
def test_a_capture(act, wallet, lost):
    payment_id = wallets.authorised(act).payment["id"]
    _lose(wallet, "capture", lost)
    done = _resolved(act, capture(**act, payment_id=payment_id, amount=4_000, final=True))
    assert (done.operation["state"], done.payment["captured"]) == ("succeeded", 4_000)
    [made] = peer.things(wallet, "captures")
    assert (made["amount"]["value"], made["final_capture"]) == ("40.00", True)
    assert told(payment_id)[-2:] == ["capture.outcome_unknown", "capture.succeeded"]
    assert booked(payment_id) == {"provider_balance": 4_000, "payer_clearing": -4_000}
    assert broken_proofs() == {}


@LOST
def test_a_refund(act, wallet, lost):
    payment_id = wallets.authorised(act).payment["id"]
    for amount in (4_000, 3_000):
        capture(**act, payment_id=payment_id, amount=amount)
    oldest = wallets.operations(payment_id, "capture")[0]
    refund(**act, payment_id=payment_id, amount=3_000)
    _lose(wallet, "refund", lost)
    done = _resolved(act, refund(**act, payment_id=payment_id, amount=1_000))
    assert (done.operation["state"], done.payment["refunded"]) == ("succeeded", 4_000)
    assert [one["amount"]["value"] for one in peer.things(wallet, "refunds")] == ["30.00", "10.00"]
    assert wallets.operations(payment_id, "refund")[-1]["capture_id"] == oldest["id"]
    assert told(payment_id)[-2:] == ["refund.outcome_unknown", "refund.succeeded"]
    assert booked(payment_id) == {"provider_balance": 3_000, "payer_clearing": -3_000}
    assert broken_proofs() == {}


@LOST
def test_a_cancellation(act, wallet, lost):
    payment_id = wallets.authorised(act).payment["id"]
    _lose(wallet, "cancel", lost)
    done = _resolved(act, cancel(**act, payment_id=payment_id))
    assert (done.operation["state"], done.payment["status"]) == ("succeeded", "cancelled")
    assert [one["status"] for one in peer.things(wallet, "authorizations")] == ["VOIDED"]
    assert told(payment_id)[-2:] == ["cancellation.outcome_unknown", "cancellation.succeeded"]
    assert booked(payment_id) == {} and broken_proofs() == {}


@LOST
def test_an_order_that_waits_for_its_payer(act, wallet, lost):
    """Without an answer the payer had no way on: not to PayPal, and not to another attempt."""
    _lose(wallet, "authorise", lost)
    asked = wallets.asked(act)
    with pytest.raises(AttemptUnderWay):
        authorise(**act, payment_id=asked.payment["id"], means=Means("paypal"))
    done = _resolved(act, asked)
    assert (done.operation["state"], done.payment["status"]) == ("action", "requires_action")
    back = peer.payer_chooses(done.operation["action"]["url"])
    paid = resume(**act, operation_id=done.operation["id"], parameters=dict(parse_qsl(urlsplit(back).query)))
    assert paid.payment["status"] == "authorised"
    assert len(peer.things(wallet, "orders")) == 1 == len(peer.things(wallet, "authorizations"))
    assert told(paid.payment["id"])[2:] == [
        *("authorisation.outcome_unknown", "authorisation.action_required", "authorisation.succeeded"),
    ]
    assert booked(paid.payment["id"]) == {} and broken_proofs() == {}


@LOST
def test_a_renewal(act, tenant, wallet, lost):
    done = wallets.authorised(act)
    factories.move_clock(tenant, days=4)
    _lose(wallet, "authorise", lost)
    with pytest.raises(RenewalUnderWay):
        capture(**act, payment_id=done.payment["id"])
    renewal = wallets.operations(done.payment["id"], "authorise")[-1]
    assert resolve(renewal["id"], merchant_id=act["merchant_id"], live=False).operation["state"] == "succeeded"
    assert capture(**act, payment_id=done.payment["id"]).payment["captured"] == 10_000
    assert len(peer.things(wallet, "authorizations")) == 2
    assert told(done.payment["id"]).count("authorisation.succeeded") == 2
    assert booked(done.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert broken_proofs() == {}


def test_a_no_to_what_had_worked_before_is_no_no(act, wallet):
    """PayPal may answer the second time that it is done already: then the order is looked at."""
    payment_id = wallets.authorised(act).payment["id"]
    _lose(wallet, "capture", "garbled")
    lost = capture(**act, payment_id=payment_id)
    peer.control(wallet, next={"verb": "capture", "do": "decline", "issue": "AUTHORIZATION_ALREADY_CAPTURED"})
    done = _resolved(act, lost)
    assert (done.operation["state"], done.payment["captured"]) == ("succeeded", 10_000)
    assert len(peer.things(wallet, "captures")) == 1
    assert told(payment_id)[-1] == "capture.succeeded"
    assert booked(payment_id) == {"provider_balance": 10_000, "payer_clearing": -10_000}


def test_a_no_to_what_never_arrived_is_a_no(act, wallet):
    payment_id = wallets.authorised(act).payment["id"]
    _lose(wallet, "capture", "server_error")
    lost = capture(**act, payment_id=payment_id)
    peer.control(wallet, next={"verb": "capture", "do": "decline", "issue": "AUTHORIZATION_EXPIRED"})
    done = _resolved(act, lost)
    assert (done.operation["state"], done.operation["code"]) == ("declined", "expired")
    assert done.payment["capture_pending"] == 0 and booked(payment_id) == {}
    assert told(payment_id)[-1] == "capture.declined"


def test_an_account_is_never_charged_again_by_itself(act, wallet):
    done = wallets.authorised(act, store=True)
    kept = done.payment["instrument_id"]
    _lose(wallet, "authorise", "garbled")
    charged = authorise(**act, order=factories.an_order(2_500), means=Means("paypal", instrument_id=kept))
    assert _way(charged) == ("by_news", None)
    orders = len(peer.things(wallet, "orders"))
    assert _resolved(act, charged).operation["state"] == "unknown"
    assert len(peer.things(wallet, "orders")) == orders
    assert told(charged.payment["id"])[-1] == "authorisation.outcome_unknown" and booked(charged.payment["id"]) == {}


def test_the_way_follows_what_is_known(act, wallet, tenant):
    payment_id = wallets.authorised(act).payment["id"]
    _lose(wallet, "capture", "server_error")
    lost = capture(**act, payment_id=payment_id)
    assert _way(lost)[0] == "by_resend" and _way(lost)[1] is not None
    with atomic(ALL) as connection:
        connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.id == lost.operation["id"])
            .values(created_at=now() - timedelta(days=31))
        )
    assert _way(lost) == ("by_reference", None), "PayPal may not know the key any more"
    assert _way(factories.authorised(tenant)) == ("by_reference", None), "an acquirer is asked by our key"


def _way(done):
    with reading(ALL) as connection:
        held = read_operation(connection, done.operation["id"])
        return way(held.operation, held.authorisation), again(connection, held)
