"""Refunds through the API."""

from app.api._pictures import Refund
from tests.api.conftest import error_of, fits


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
