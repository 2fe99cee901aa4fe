"""Captures through the API."""

import pytest

from app.api._pictures import CaptureMade
from tests import factories
from tests.api.conftest import Api, by_card, error_of, fits, order
from tests.connectors.peers import adyen
from tests.payments import wallets


def test_a_payment_is_captured_in_parts(api):
    payment = api.pay()
    first = api.post(f"/payments/{payment['id']}/captures", {"amount": 2_500, "reason": "First parcel"})
    assert first.status_code == 201
    assert fits(CaptureMade, first) == {
        **first.get_json(),
        "object": "capture",
        "payment": payment["id"],
        "status": "succeeded",
        "amount": 2_500,
        "final": False,
        "reason": "First parcel",
        "warnings": [],
    }
    rest = fits(CaptureMade, api.post(f"/payments/{payment['id']}/captures"))
    assert (rest["amount"], rest["final"]) == (7_500, True)
    assert api.get(f"/payments/{payment['id']}").get_json()["status"] == "captured"


def test_a_final_part_gives_the_rest_back(api):
    payment = api.pay()
    answer = api.post(f"/payments/{payment['id']}/captures", {"amount": 2_500, "final": True})
    assert answer.get_json()["warnings"] == []  # asked for
    after = api.get(f"/payments/{payment['id']}").get_json()
    assert (after["status"], after["amount_captured"], after["amount_cancelled"]) == ("captured", 2_500, 7_500)


def test_where_the_rest_only_lapses_the_answer_says_so(api, app):
    with adyen.peer() as acquirer:
        with app.app_context():
            wallets.add_adyen(api.tenant, acquirer)
        card = {"number": adyen.GOOD, "expiry_month": 3, "expiry_year": 2039, "security_code": adyen.SECURITY_CODE}
        payment = api.post("/payments", order(10_000, payment_method={"type": "card", "card": card})).get_json()
        answer = api.post(f"/payments/{payment['id']}/captures", {"amount": 2_500, "final": True})
        assert (answer.status_code, fits(CaptureMade, answer)["status"]) == (202, "pending")
        [warning] = answer.get_json()["warnings"]
        assert (warning["code"], "7500" in warning["message"]) == ("rest_lapses", True)
        more = api.post(f"/payments/{payment['id']}/captures", {"amount": 2_500})
        assert error_of(more) == (409, "last_capture_under_way", None)


def test_more_than_is_left_is_refused(api):
    payment = api.pay()
    answer = api.post(f"/payments/{payment['id']}/captures", {"amount": 10_001})
    assert error_of(answer) == (422, "amount_too_high", "amount")
    assert "10000" in answer.get_json()["error"]["message"]
    assert api.get(f"/payments/{payment['id']}").get_json() == payment


def test_lines_of_a_part_are_kept(api):
    payment = api.pay()
    sent = {"amount": 2_500, "lines": [{"name": "Teapot", "quantity": 1, "amount": 2_500}]}
    assert api.post(f"/payments/{payment['id']}/captures", sent).get_json()["lines"] == sent["lines"]


def test_a_declined_capture_is_an_answer(api):
    payment = api.pay()
    answer = api.post(f"/payments/{payment['id']}/captures", {"amount": 6_601})
    assert (answer.status_code, fits(CaptureMade, answer)["status"]) == (201, "declined")
    assert answer.get_json()["failure"]["code"]


def test_an_unknown_outcome_is_accepted(api):
    payment = api.pay()
    answer = api.post(f"/payments/{payment['id']}/captures", {"amount": 6_606})
    assert (answer.status_code, fits(CaptureMade, answer)["status"]) == (202, "unknown")
    assert api.get(f"/operations/{answer.get_json()['id']}").get_json()["status"] == "unknown"


@pytest.fixture(scope="module")
def once_only(app, acquirers):
    """A merchant at acquirer C, whose first capture releases the rest."""
    with app.app_context():
        tenant = factories.tenant(acquirers["C"])
    return Api(app, tenant, tenant.key)


class TestAProviderThatCapturesOnce:
    def test_a_part_warns_that_the_rest_went_back(self, once_only):
        payment = once_only.pay()
        answer = fits(CaptureMade, once_only.post(f"/payments/{payment['id']}/captures", {"amount": 2_500}))
        assert [(warning["code"], "7500" in warning["message"]) for warning in answer["warnings"]] == [
            ("rest_released", True)
        ]
        after = once_only.get(f"/payments/{payment['id']}").get_json()
        assert (after["amount_captured"], after["amount_cancelled"], after["amount_refunded"]) == (2_500, 7_500, 0)

    def test_the_repetition_warns_too(self, once_only):
        payment = once_only.post("/payments", order(payment_method=by_card())).get_json()
        first = once_only.once("part-1").post(f"/payments/{payment['id']}/captures", {"amount": 2_500})
        again = once_only.once("part-1").post(f"/payments/{payment['id']}/captures", {"amount": 2_500})
        assert again.get_json()["warnings"] == first.get_json()["warnings"] != []

    def test_all_of_it_warns_of_nothing(self, once_only):
        payment = once_only.pay()
        assert once_only.post(f"/payments/{payment['id']}/captures", {"amount": 10_000}).get_json()["warnings"] == []

    def test_a_second_capture_is_refused(self, once_only):
        payment = once_only.pay()
        once_only.post(f"/payments/{payment['id']}/captures", {"amount": 2_500})
        answer = once_only.post(f"/payments/{payment['id']}/captures", {"amount": 100})
        assert answer.status_code == 409
