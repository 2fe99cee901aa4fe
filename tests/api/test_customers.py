"""Customers through the API."""

from sqlalchemy import text

from app.api.customers import Customer, Customers
from app.core.db import ALL, reading
from app.core.ids import parse_id
from tests.api.conftest import error_of, fits

ADDRESS = {"street": "Hauptstr. 1", "postal_code": "50667", "city": "Köln", "country": "DE"}


def test_a_customer_is_created_read_and_changed(api):
    sent = {"number": "K-1", "name": "Erika", "email": "E@example.com", "phone": "+49 221 1234", "address": ADDRESS}
    answer = api.post("/customers", sent)
    customer = fits(Customer, answer)
    assert answer.status_code == 201
    assert customer == {**customer, **sent, "language": "de"}
    assert fits(Customer, api.get(f"/customers/{customer['id']}")) == customer
    changed = api.patch(f"/customers/{customer['id']}", {"email": None, "name": "Erika Muster"})
    assert fits(Customer, changed) == {**customer, "email": None, "name": "Erika Muster"}


def test_nothing_needs_to_be_known(api):
    assert api.post("/customers", {}).status_code == 201


def test_a_number_is_given_once(api):
    api.post("/customers", {"number": "K-2"})
    assert error_of(api.post("/customers", {"number": "K-2"})) == (409, "customer_number_taken", "number")
    other = api.post("/customers", {"number": "K-3"}).get_json()
    taken = api.patch(f"/customers/{other['id']}", {"number": "K-2", "name": "Nobody"})
    assert error_of(taken) == (409, "customer_number_taken", "number")
    assert api.get(f"/customers/{other['id']}").get_json() == other


def test_a_repeated_request_makes_one_also_with_a_number(api):
    first = api.once("customer-1").post("/customers", {"number": "K-6"})
    again = api.once("customer-1").post("/customers", {"number": "K-6"})
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert error_of(api.once("customer-2").post("/customers", {"number": "K-6"}))[1] == "customer_number_taken"
    assert error_of(api.once("customer-1").post("/customers", {"number": "K-7"}))[1] == "idempotency_key_reused"
    assert api.once("customer-2").post("/customers", {"number": "K-7"}).status_code == 201, "a no uses up no key"


def test_another_merchant_may_use_the_same_number(api, foreign):
    api.post("/customers", {"number": "K-4"})
    assert foreign.post("/customers", {"number": "K-4"}).status_code == 201


def test_the_list_can_be_filtered(api):
    made = api.post("/customers", {"number": "K-5", "email": "Paul@Example.com"}).get_json()
    assert fits(Customers, api.get("/customers?number=K-5"))["data"] == [made]
    assert api.get("/customers?email=paul@example.com").get_json()["data"] == [made]
    assert api.get("/customers?number=none").get_json() == {"data": [], "next": None}


def test_events_name_columns_and_not_what_stands_in_them(api, app):
    customer = api.post("/customers", {"name": "Geheim", "email": "geheim@example.com"}).get_json()
    api.patch(f"/customers/{customer['id']}", {"name": "Auch geheim"})
    with app.app_context(), reading(ALL) as connection:
        rows = connection.execute(
            text("SELECT name, data FROM events WHERE subject_id = :id ORDER BY id"),
            {"id": parse_id("cus", customer["id"])},
        ).all()
    assert [row.name for row in rows] == ["customer.added", "customer.changed"]
    assert "eheim" not in str(rows)


def test_an_erased_customer_is_empty_and_stays_so(api):
    made = api.post("/customers", {"number": "K-77", "name": "Erika Muster", "email": "erika@example.com"}).get_json()
    erased = fits(Customer, api.ask("DELETE", f"/customers/{made['id']}"))
    assert (erased["name"], erased["email"], erased["number"]) == (None, None, None)
    assert erased["erased_at"] is not None
    assert api.ask("DELETE", f"/customers/{made['id']}").get_json() == erased
    assert api.get(f"/customers/{made['id']}").get_json() == erased
    assert made["id"] not in [one["id"] for one in api.get("/customers").get_json()["data"]]
    assert error_of(api.patch(f"/customers/{made['id']}", {"name": "Erika"})) == (409, "customer_erased", None)
    body = {"amount": 100, "currency": "EUR", "merchant_reference": "r", "customer": made["id"]}
    assert error_of(api.post("/payments", body)) == (404, "not_found", "customer")
