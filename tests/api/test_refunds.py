"""Refunds through the API."""

from app.api._pictures import Refund
from app.core.ids import parse_id, public_id
from app.payments.capture import capture
from tests.api.conftest import error_of, fits
from tests.books import broken_proofs, told
from tests.connectors.peers import paypal
from tests.payments import wallets


def test_a_part_and_then_the_rest_are_refunded(api):
    payment = api.pay(capture="automatic")
    part = api.post(f"/payments/{payment['id']}/refunds", {"amount": 1_000, "reason": "Returned goods"})
    assert part.status_code == 201
    assert fits(Refund, part)["status"] == "succeeded"
    assert (part.get_json()["object"], part.get_json()["amount"], part.get_json()["parts"]) == ("refund", 1_000, 1)
    assert api.get(f"/payments/{payment['id']}").get_json()["status"] == "partially_refunded"
    rest = api.post(f"/payments/{payment['id']}/refunds", {"final": True})
    assert rest.get_json()["amount"] == 9_000
    assert api.get(f"/payments/{payment['id']}").get_json()["status"] == "refunded"
    assert error_of(api.post(f"/payments/{payment['id']}/refunds")) == (409, "nothing_to_refund", None)


def test_after_the_last_refund_none_follows(app, api, acquirers):
    payment = api.pay(capture="automatic", merchant_reference="refund-final")
    path = f"/payments/{payment['id']}/refunds"
    last = api.once("final-1").post(path, {"amount": 1_000, "final": True})
    assert fits(Refund, last)["final"] is True
    assert error_of(api.post(path, {"amount": 1_000})) == (409, "refunds_ended", None)
    assert api.once("final-1").post(path, {"amount": 1_000, "final": True}).get_json() == last.get_json()
    now = api.get(f"/payments/{payment['id']}").get_json()
    assert (now["status"], now["amount_refunded"]) == ("partially_refunded", 1_000)
    assert [line["amount"] for line in acquirers["A"].did(done="refunded", reference="refund-final")] == [1_000]
    with app.app_context():
        names = told(parse_id("pay", payment["id"]))
        assert names.count("refund.submitted") == names.count("refund.succeeded") == 1
        assert broken_proofs() == {}


def test_a_last_refund_that_fails_was_not_the_last(api):
    payment = api.pay(capture="automatic")
    path = f"/payments/{payment['id']}/refunds"
    assert api.post(path, {"amount": 6_601, "final": True}).get_json()["status"] == "declined"
    assert api.post(path, {"amount": 1_000}).get_json()["status"] == "succeeded"


def test_more_than_was_captured_is_refused_and_nothing_changes(api):
    payment = api.pay()
    api.post(f"/payments/{payment['id']}/captures", {"amount": 2_500})
    before = api.get(f"/payments/{payment['id']}").get_json()
    answer = api.post(f"/payments/{payment['id']}/refunds", {"amount": 2_501})
    assert error_of(answer) == (422, "amount_too_high", "amount")
    assert api.get(f"/payments/{payment['id']}").get_json() == before


def test_a_refund_that_nobody_answers_is_accepted_and_reserved(api):
    payment = api.pay(capture="automatic")
    answer = api.post(f"/payments/{payment['id']}/refunds", {"amount": 6_606})
    assert (answer.status_code, fits(Refund, answer)["status"]) == (202, "unknown")
    assert api.get(f"/payments/{payment['id']}").get_json()["amount_refundable"] == 10_000 - 6_606


def test_a_refund_in_parts_is_asked_for_as_one(api, app):
    """Its status is that of its least finished part, whichever part's id is asked for."""
    act = {"merchant_id": api.tenant.merchant_id, "live": False, "actor": "test"}
    with paypal.peer() as wallet:
        with app.app_context():
            wallets.add_wallet(api.tenant, wallet)
            payment_id = wallets.authorised(act).payment["id"]
            for amount in (4_000, 3_000):
                capture(**act, payment_id=payment_id, amount=amount)
        paypal.control(wallet, next={"verb": "refund", "do": "unknown_word"})
        payment = public_id("pay", payment_id)
        made = api.post(f"/payments/{payment}/refunds", {"amount": 5_000})
    assert made.status_code == 202
    picture = fits(Refund, api.get(f"/refunds/{made.get_json()['id']}"))
    assert picture == made.get_json()
    assert (picture["status"], picture["amount"], picture["amount_refunded"], picture["parts"]) == (
        *("unknown", 5_000),
        *(2_000, 2),
    )
    newest = api.get(f"/payments/{payment}/operations").get_json()["data"][0]
    assert (newest["object"], newest["status"], newest["amount"]) == ("refund", "succeeded", 2_000)
    assert api.get(f"/refunds/{newest['id']}").get_json() == picture


def test_what_is_no_refund_is_not_found_as_one(api):
    payment = api.pay()
    made = api.post(f"/payments/{payment['id']}/captures", {"amount": 2_500}).get_json()
    assert error_of(api.get(f"/refunds/{made['id']}")) == (404, "not_found", None)
    assert error_of(api.get("/refunds/op_nonsense")) == (404, "not_found", None)
