"""Hosted checkouts through the API."""

from dataclasses import replace

from app.api._pictures import Checkout, Checkouts
from tests import factories
from tests.api.conftest import error_of, fits, order


def test_a_checkout_has_links_for_a_page_and_for_a_frame(api, tenant):
    answer = api.post("/checkouts", order(return_url="https://shop.example/thanks", language="en"))
    checkout = fits(Checkout, answer)
    assert answer.status_code == 201
    assert checkout["url"].startswith("http://localhost:8700/pay/chk_")
    assert checkout["embed_url"] == checkout["url"] + "?embed=1"
    assert (checkout["status"], checkout["shop"], checkout["language"]) == ("open", tenant.shop, "en")
    payment = api.get(f"/payments/{checkout['payment']}").get_json()
    assert (payment["status"], payment["amount"]) == ("created", 10_000)


def test_it_takes_a_name_and_address_or_a_customer(api):
    named = api.post("/checkouts", order(customer={"name": "Jo", "email": "jo@example.com"})).get_json()
    assert api.get(f"/payments/{named['payment']}").get_json()["payer"]["email"] == "jo@example.com"
    customer = api.post("/customers", {"name": "Anna", "email": "anna@example.com"}).get_json()["id"]
    known = api.post("/checkouts", order(customer=customer)).get_json()
    payment = api.get(f"/payments/{known['payment']}").get_json()
    assert (payment["customer"], payment["payer"]["name"]) == (customer, "Anna")


def test_wrong_customers_are_named(api):
    assert error_of(api.post("/checkouts", order(customer={"nme": "Jo"}))) == (422, "unknown_field", "customer.nme")
    assert error_of(api.post("/checkouts", order(customer="cus_unknown"))) == (404, "not_found", "customer")
    assert error_of(api.post("/checkouts", order(customer=7)))[0] == 422


def test_it_is_read_and_listed(api):
    made = [api.post("/checkouts", order(merchant_reference=f"C-{number}")).get_json() for number in range(3)]
    assert fits(Checkout, api.get(f"/checkouts/{made[0]['id']}")) == made[0]
    page = fits(Checkouts, api.get("/checkouts?limit=2&status=open"))
    assert [one["id"] for one in page["data"]] == [made[2]["id"], made[1]["id"]]
    assert api.get(f"/checkouts?limit=2&after={page['next']}").get_json()["data"][0]["id"] == made[0]["id"]
    of_payment = api.get(f"/checkouts?payment={made[1]['payment']}").get_json()["data"]
    assert [one["id"] for one in of_payment] == [made[1]["id"]]


def test_a_merchant_with_two_shops_must_name_one(app, acquirers):
    from tests.api.conftest import Api

    with app.app_context():
        tenant = factories.tenant(acquirers["A"])
        factories.add_shop_to(tenant)
    api = Api(app, tenant, tenant.key)
    assert error_of(api.post("/checkouts", order())) == (422, "shop_needed", "shop")
    assert api.post("/checkouts", order(shop=tenant.shop)).status_code == 201


def test_another_merchants_shop_does_not_exist(api, stranger):
    assert error_of(api.post("/checkouts", order(shop=stranger.shop))) == (404, "not_found", "shop")
    assert error_of(api.post("/payments", order(shop=stranger.shop))) == (404, "not_found", "shop")


def test_a_second_checkout_for_the_same_debt_names_it(api, stranger):
    first = api.post("/checkouts", order(merchant_reference="C-1")).get_json()
    assert first["receivable"].startswith("rcv_")
    second = fits(Checkout, api.post("/checkouts", order(receivable=first["receivable"])))
    assert second["receivable"] == first["receivable"] and second["payment"] != first["payment"]
    assert api.get(f"/checkouts/{second['id']}").get_json()["receivable"] == first["receivable"]
    other = api.post("/checkouts", order()).get_json()
    assert other["receivable"] != first["receivable"]
    more = order(receivable=first["receivable"], amount=10_001)
    assert error_of(api.post("/checkouts", more)) == (409, "less_due", "amount")
    dollars = order(receivable=first["receivable"], currency="USD")
    assert error_of(api.post("/checkouts", dollars)) == (422, "other_currency", "currency")
    assert error_of(api.post("/checkouts", order(receivable="rcv_no"))) == (404, "not_found", "receivable")
    theirs = replace(api, tenant=stranger, key=stranger.key)
    unseen = theirs.post("/checkouts", order(receivable=first["receivable"]))
    assert error_of(unseen) == (404, "not_found", "receivable")
