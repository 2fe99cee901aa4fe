"""Payments through the API: created, confirmed, cancelled, read and listed."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.api._pictures import Operations, Payment, Payments
from app.core.clock import business_today
from app.core.db import ALL, atomic, reading
from app.core.ids import parse_id, public_id
from app.merchants.add import add_contract
from tests import factories
from tests.api.conftest import Api, by_card, error_of, fits, order
from tests.books import told
from tests.connectors.peers import paypal


def test_a_card_is_authorised_and_waits_for_its_capture(api):
    answer = api.post("/payments", order(payment_method=by_card(), description="Teapot"))
    payment = fits(Payment, answer)
    assert answer.status_code == 201
    assert (payment["status"], payment["amount_authorised"], payment["amount_capturable"]) == (
        "authorised",
        10_000,
        10_000,
    )
    assert payment["card"] == {"brand": "visa", "last4": "4242"}
    assert payment["live"] is False
    assert payment["instrument"] is None


def test_an_automatic_capture_follows_at_once(api):
    assert api.pay(capture="automatic")["status"] == "captured"


def test_a_decline_is_an_answer(api):
    answer = api.post("/payments", order(payment_method=by_card("insufficient_funds")))
    payment = fits(Payment, answer)
    assert (answer.status_code, payment["status"]) == (201, "failed")
    assert payment["failure"]["code"] == "insufficient_funds"
    assert fits(Payment, api.get(f"/payments/{payment['id']}"))["failure"] == payment["failure"]


def test_an_unknown_outcome_is_accepted_and_pending(api):
    answer = api.post("/payments", order(payment_method=by_card("garbled")))
    assert (answer.status_code, fits(Payment, answer)["status"]) == (202, "pending")


def test_3d_secure_comes_as_a_next_action(api):
    payment = fits(Payment, api.post("/payments", order(payment_method=by_card("challenge"))))
    assert payment["status"] == "requires_action"
    assert payment["next_action"]["type"] in ("redirect", "challenge")
    assert payment["next_action"]["url"].startswith("http")


def test_without_a_method_it_waits_to_be_confirmed(api):
    created = api.post("/payments", order())
    assert (created.status_code, fits(Payment, created)["status"]) == (201, "created")
    payment_id = created.get_json()["id"]
    confirmed = api.post(f"/payments/{payment_id}/confirm", {"payment_method": by_card()})
    assert (confirmed.status_code, fits(Payment, confirmed)["status"]) == (200, "authorised")


def test_after_a_decline_another_card_may_be_tried(api):
    payment = api.pay(card="refused")
    again = api.post(f"/payments/{payment['id']}/confirm", {"payment_method": by_card()})
    assert (again.status_code, again.get_json()["status"]) == (200, "authorised")
    third = api.post(f"/payments/{payment['id']}/confirm", {"payment_method": by_card()})
    assert error_of(third) == (409, "already_paid", None)


def test_a_payment_of_a_checkout_is_not_confirmed_past_it(api):
    checkout = api.post("/checkouts", order()).get_json()
    answer = api.post(f"/payments/{checkout['payment']}/confirm", {"payment_method": by_card()})
    assert error_of(answer) == (409, "paid_by_checkout", None)


def test_a_stored_card_is_charged_again_without_its_number(api):
    stored = api.pay(store=True)
    assert stored["instrument"].startswith("ins_")
    means = {"type": "instrument", "instrument": stored["instrument"]}
    again = fits(
        Payment, api.post("/payments", order(payment_method=means, initiator="merchant", series="unscheduled"))
    )
    assert (again["status"], again["instrument"]) == ("authorised", stored["instrument"])
    assert api.get(f"/payments/{again['id']}").get_json()["instrument"] == stored["instrument"]


def test_what_is_known_of_a_customer_completes_the_payer(api):
    customer = api.post("/customers", {"name": "Jo Doe", "email": "jo@example.com", "language": "en"}).get_json()
    payment = api.pay(customer=customer["id"], payer={"name": "Joanna Doe", "country": "AT"})
    assert payment["payer"] == {"name": "Joanna Doe", "email": "jo@example.com", "country": "AT", "language": "en"}
    assert payment["customer"] == customer["id"]


@pytest.mark.parametrize("path", ["/payments", "/checkouts"])
def test_lines_that_add_up_to_something_else_are_refused(app, api, path):
    """They stand above the button that orders."""
    lines = [{"name": "Teapot", "quantity": 2, "amount": 11_000}, {"name": "Voucher", "amount": -999}]
    refused = api.post(path, order(lines=lines, merchant_reference="other-sum"))
    assert error_of(refused) == (422, "lines_differ", "lines")
    assert "10001" in refused.get_json()["error"]["message"] and "10000" in refused.get_json()["error"]["message"]
    assert api.get("/payments?merchant_reference=other-sum").get_json()["data"] == []
    assert api.post(path, order(lines=[])).status_code == 201, "no lines say nothing"


def test_lines_numbers_and_shop_are_kept(api, tenant):
    lines = [{"name": "Teapot", "quantity": 2, "amount": 11_000}, {"name": "Voucher", "amount": -1_000}]
    payment = api.pay(lines=lines, order_number="O-1", customer_number="K-1", shop=tenant.shop)
    assert payment["lines"] == [lines[0], {**lines[1], "quantity": 1}]
    assert (payment["order_number"], payment["customer_number"], payment["shop"]) == ("O-1", "K-1", tenant.shop)


def test_a_scheduled_capture_needs_a_date_that_is_not_past(api):
    assert error_of(api.post("/payments", order(capture="scheduled"))) == (422, "capture_date_needed", "capture_on")
    past = api.post("/payments", order(capture="scheduled", capture_on="2020-01-01"))
    assert error_of(past) == (422, "capture_date_past", "capture_on")
    day = business_today(0, "Europe/Berlin") + timedelta(days=5)
    future = api.post("/payments", order(capture="scheduled", capture_on=day.isoformat()))
    assert future.get_json()["capture_on"] == day.isoformat()
    late = api.post("/payments", order(capture="scheduled", capture_on="2099-01-01"))
    assert error_of(late) == (422, "capture_date_too_late", "capture_on")
    assert api.post("/checkouts", order(capture="scheduled", capture_on="2099-01-01")).status_code == 422


def test_what_was_not_captured_can_be_cancelled(api, app):
    payment = api.pay()
    answer = api.post(f"/payments/{payment['id']}/cancel", {"reason": "Out of stock"})
    assert (answer.status_code, fits(Payment, answer)["status"]) == (200, "cancelled")
    assert answer.get_json()["amount_cancelled"] == 10_000
    assert error_of(api.post(f"/payments/{payment['id']}/cancel")) == (409, "nothing_to_cancel", None)


def test_other_currencies_keep_their_own_minor_units(api):
    answer = api.post("/payments", {**order(500, payment_method=by_card()), "currency": "JPY"})
    assert (answer.get_json()["amount"], answer.get_json()["status"]) == (500, "authorised")


def test_a_currency_no_contract_takes_is_refused_and_nothing_is_written(api, app):
    before = len(api.get("/payments?limit=100").get_json()["data"])
    answer = api.post("/payments", {**order(payment_method=by_card()), "currency": "USD"})
    assert error_of(answer) == (422, "no_route", "payment_method")
    assert answer.get_json()["error"]["type"] == "provider"
    assert len(api.get("/payments?limit=100").get_json()["data"]) == before


def test_who_did_it_is_the_key(api, app, tenant):
    payment = api.pay()
    with app.app_context(), reading(ALL) as connection:
        actors = connection.execute(
            text("SELECT DISTINCT actor FROM operations WHERE payment_id = :id"), {"id": parse_id("pay", payment["id"])}
        ).scalars()
        assert list(actors) == [f"key:{public_id('key', tenant.key_id)}"]
        assert told(parse_id("pay", payment["id"])) == [
            "payment.created",
            "authorisation.submitted",
            "authorisation.succeeded",
        ]


def test_the_list_is_newest_first_and_goes_on(app, acquirers):
    with app.app_context():
        lister = factories.tenant(acquirers["A"])
    api = Api(app, lister, lister.key)
    made = [api.post("/payments", order(merchant_reference=f"R-{number}")).get_json()["id"] for number in range(5)]
    first = fits(Payments, api.get("/payments?limit=2"))
    assert [payment["id"] for payment in first["data"]] == made[:2:-1]
    second = api.get(f"/payments?limit=2&after={first['next']}").get_json()
    third = api.get(f"/payments?limit=2&after={second['next']}").get_json()
    assert [payment["id"] for payment in second["data"] + third["data"]] == made[2::-1]
    assert third["next"] is None


def test_the_list_can_be_filtered(app, acquirers):
    with app.app_context():
        lister = factories.tenant(acquirers["A"])
    api = Api(app, lister, lister.key)
    customer = api.post("/customers", {"email": "Anna@Example.com"}).get_json()["id"]
    paid = api.pay(merchant_reference="Alpha", customer=customer)
    waiting = api.post("/payments", order(merchant_reference="Beta")).get_json()

    def found(query: str) -> list[str]:
        return [payment["id"] for payment in fits(Payments, api.get(f"/payments?{query}"))["data"]]

    assert found("status=authorised") == [paid["id"]]
    assert found("merchant_reference=aLPHA") == [paid["id"]]
    assert found(f"customer={customer}") == [paid["id"]]
    assert found("payer_email=anna@example.COM") == [paid["id"]]
    assert found("last4=4242&status=authorised") == [paid["id"]]
    assert found("last4=0000") == []
    assert found("created_from=2020-01-01T00:00:00Z") == [waiting["id"], paid["id"]]
    assert found("created_before=2020-01-01T00:00:00Z") == []


def test_operations_of_a_payment_are_listed_and_read(api):
    payment = api.pay()
    api.post(f"/payments/{payment['id']}/captures", {"amount": 2_500})
    listed = fits(Operations, api.get(f"/payments/{payment['id']}/operations"))
    assert [operation["object"] for operation in listed["data"]] == ["capture", "authorise"]
    assert api.get(f"/operations/{listed['data'][0]['id']}").get_json() == listed["data"][0]


def test_paypal_sends_the_payer_to_its_own_page(app, acquirers, tmp_path):
    with paypal.serving(tmp_path) as url:
        with app.app_context():
            tenant = factories.tenant(acquirers["A"])
            with atomic(ALL) as connection:
                add_contract(
                    connection,
                    merchant_id=tenant.merchant_id,
                    live=False,
                    provider="paypal",
                    label="PayPal",
                    settings=dict(paypal.contract_with(url).settings),
                    actor="test",
                )
        sent = order(payment_method={"type": "paypal"}, return_url="https://shop.example/thanks")
        payment = fits(Payment, Api(app, tenant, tenant.key).post("/payments", sent))
    assert (payment["status"], payment["method"]) == ("requires_action", "paypal")
    assert payment["next_action"]["url"].startswith(url)


def test_from_where_a_program_did_it_stands_in_the_log_once_for_each_step(api):
    payment_id = parse_id("pay", api.pay(capture="automatic")["id"])
    with api.app.app_context(), reading(ALL) as connection:
        query = text(
            "SELECT e.name, d.body FROM events e JOIN event_details d ON d.event_id = e.id"
            " WHERE e.payment_id = :id AND d.body ? 'ip_address' ORDER BY e.id"
        )
        rows = connection.execute(query, {"id": payment_id}).all()
    assert rows[0].name == "payment.created"
    assert all(row.body["ip_address"] == "127.0.0.1" and row.body["request_id"] for row in rows)
