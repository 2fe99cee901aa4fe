"""PayPal refunds captures: one refund may be several calls, and no capture is asked for more than it has."""

from collections.abc import Iterator

import pytest

from app.connectors import paypal
from app.connectors.kinds import Contract, DisputeNews
from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.ids import public_id
from app.payments import news, sign_off
from app.payments.capture import capture
from app.payments.history import overview
from app.payments.public import refund_picture
from app.payments.refund import plan, refund
from tests.books import booked, broken_proofs, told
from tests.connectors.peers import paypal as peer
from tests.payments import wallets


@pytest.fixture(scope="module")
def wallet() -> Iterator[Contract]:
    with peer.peer() as contract:
        yield contract


@pytest.fixture
def captured(act, tenant, wallet):
    """100.00 by PayPal, captured as 40.00 and 30.00. Returns the payment's id and its contract's."""
    contract_id = wallets.add_wallet(tenant, wallet)
    payment_id = wallets.authorised(act).payment["id"]
    for amount in (4_000, 3_000):
        assert capture(**act, payment_id=payment_id, amount=amount).operation["state"] == "succeeded"
    return payment_id, contract_id


def _parts(payment_id):
    captures = {row["id"]: row["amount"] for row in wallets.operations(payment_id, "capture")}
    return [
        (captures.get(row["capture_id"]), row["amount"], row["state"])
        for row in wallets.operations(payment_id, "refund")
    ]


def test_a_refund_over_two_captures_is_two_calls_and_one_refund(act, captured, wallet):
    payment_id, _ = captured
    done = refund(**act, payment_id=payment_id, amount=5_000)
    assert _parts(payment_id) == [(3_000, 3_000, "succeeded"), (4_000, 2_000, "succeeded")]
    whole = done.operation
    assert (whole["state"], whole["amount"], whole["booked_amount"]) == ("succeeded", 5_000, 5_000)
    assert done.payment["refunded"] == 5_000
    assert told(payment_id).count("refund.succeeded") == 2
    assert booked(payment_id) == {"provider_balance": 2_000, "payer_clearing": -2_000}
    last = refund(**act, payment_id=payment_id)
    assert (last.operation["amount"], last.payment["status"]) == (2_000, "refunded")
    assert booked(payment_id) == {}
    assert broken_proofs() == {}


def test_what_one_part_gave_back_is_told_although_another_was_refused(act, captured, wallet):
    payment_id, _ = captured
    newest = wallets.operations(payment_id, "capture")[-1]["provider_reference"]
    peer.control(
        wallet, portal_refund={"capture": newest, "value": "30.00"}
    )  # and its notification is still on its way
    done = refund(**act, payment_id=payment_id, amount=5_000)
    assert [state for *_, state in _parts(payment_id)] == ["declined", "succeeded"]
    assert (done.operation["state"], done.operation["amount"]) == ("declined", 5_000)
    assert done.operation["booked_amount"] == 2_000 == done.payment["refunded"]
    picture = refund_picture(wallets.operations(payment_id, "refund"))
    assert (picture["status"], picture["amount"], picture["amount_refunded"]) == ("declined", 5_000, 2_000)
    assert told(payment_id)[-4:] == ["refund.submitted", "refund.submitted", "refund.declined", "refund.succeeded"]
    assert booked(payment_id) == {"provider_balance": 5_000, "payer_clearing": -5_000}


def test_a_refund_in_paypals_portal_exhausts_the_capture_it_names(act, captured, tenant, wallet):
    payment_id, contract_id = captured
    oldest = wallets.operations(payment_id, "capture")[0]
    order = {"capture": oldest["provider_reference"], "value": "35.00"}
    made = peer.control(wallet, portal_refund=order)["portal_refund"]
    [fact] = _news(wallet, "PAYMENT.CAPTURE.REFUNDED", made)
    with atomic(ALL) as connection:
        assert news.book(connection, contract_id, fact)
    [foreign] = wallets.operations(payment_id, "refund")
    assert (foreign["capture_id"], foreign["booked_amount"]) == (oldest["id"], 3_500)
    done = refund(**act, payment_id=payment_id)
    assert _parts(payment_id)[1:] == [(3_000, 3_000, "succeeded"), (4_000, 500, "succeeded")]
    assert (done.payment["status"], done.payment["refunded"]) == ("refunded", 7_000)
    assert booked(payment_id) == {}
    assert broken_proofs() == {}


def test_a_chargeback_exhausts_the_capture_it_names_until_it_is_reversed(act, captured, tenant, wallet):
    payment_id, contract_id = captured
    newest = wallets.operations(payment_id, "capture")[-1]
    claim = _dispute(payment_id, "charged_back", newest["provider_reference"])
    with atomic(ALL) as connection:
        assert news.book(connection, contract_id, claim)
    with atomic(ALL) as connection:
        parts = _planned(connection, payment_id, 4_000)
    assert parts == [(4_000, 4_000)]
    with atomic(ALL) as connection:
        assert news.book(connection, contract_id, _dispute(payment_id, "reversed", None))
    refund(**act, payment_id=payment_id, amount=3_000)
    assert _parts(payment_id) == [(3_000, 3_000, "succeeded")]
    assert told(payment_id).count("dispute.reversed") == 1
    assert booked(payment_id) == {"provider_balance": 4_000, "payer_clearing": -4_000}
    assert broken_proofs() == {}


def test_what_names_no_capture_is_taken_off_the_newest(act, captured, tenant, wallet):
    payment_id, contract_id = captured
    fact = news.News(
        id="portal-1",
        kind="refund",
        outcome=news.Outcome.APPROVED,
        amount=3_200,
        currency="EUR",
        provider_reference="R-portal",
        authorisation_reference=_authorisation(payment_id),
    )
    with atomic(ALL) as connection:
        assert news.book(connection, contract_id, fact)
        parts = _planned(connection, payment_id, 3_800)
    assert parts == [(4_000, 3_800)]


def test_a_refund_in_parts_is_approved_and_sent_as_one(act, captured, wallet):
    payment_id, _ = captured
    asked = refund(**act, payment_id=payment_id, amount=5_000, permit=_hold)
    assert (asked.operation["state"], asked.operation["amount"]) == ("pending_approval", 5_000)
    assert asked.operation["id"] == asked.operation["group_id"]
    with atomic(ALL) as connection:
        helds = sign_off.submit_waiting(connection, asked.operation["group_id"], actor="test")
        references = sign_off.capture_references(connection, helds)
    done = sign_off.send(helds, references, actor="test")
    assert (done.operation["state"], done.operation["booked_amount"]) == ("succeeded", 5_000)
    assert _parts(payment_id) == [(3_000, 3_000, "succeeded"), (4_000, 2_000, "succeeded")]
    assert told(payment_id).count("refund.succeeded") == 2
    assert booked(payment_id) == {"provider_balance": 2_000, "payer_clearing": -2_000}


def _hold(*_):
    return lambda *_: None


def _news(wallet, event_type, resource):
    order = {"webhook_id": "WEBHOOK1", "event_type": event_type, "resource": resource}
    signed = peer.control(wallet, sign=order)["sign"]
    return paypal.read_news(wallet, signed["headers"], signed["body"].encode())


def _dispute(payment_id, turn, capture_reference):
    return news.News(
        id=f"dispute-{turn}",
        kind="dispute",
        outcome=news.Outcome.APPROVED,
        amount=3_000,
        currency="EUR",
        occurred_at=now(),
        authorisation_reference=_authorisation(payment_id),
        capture_reference=capture_reference,
        dispute=DisputeNews(turn=turn, provider_reference=f"PP-D-{public_id('pay', payment_id)}", reason="other"),
    )


def _authorisation(payment_id):
    [row] = wallets.operations(payment_id, "authorise")
    return row["provider_reference"]


def _planned(connection, payment_id, amount):
    parts = plan(connection, overview(connection, payment_id), amount)
    return [(part.capture["booked_amount"], part.amount) for part in parts]
