"""Customers in the back office: found, seen by those who may, exported, restricted, erased."""

import io
import json
import zipfile

import pytest
from sqlalchemy import text

from app.core.db import ALL, atomic, of, reading
from app.core.ids import parse_id, public_id, uuid7
from app.customers.add import add_customer
from app.payments.attempt import Means
from app.payments.authorise import authorise
from tests import factories

NAME = "Wilhelmine Zuber"


@pytest.fixture
def customer(app, tenant):
    """A fresh customer with a payment: (address of their page, id, number, e-mail)."""
    tail = uuid7().hex[-10:]
    with app.app_context():
        with atomic(of(tenant.merchant_id, False)) as connection:
            columns = {"number": f"K-{tail}", "name": f"{NAME}{tail}", "email": f"wz{tail}@example.com"}
            row = add_customer(connection, merchant_id=tenant.merchant_id, live=False, actor="test", columns=columns)
        authorise(
            merchant_id=tenant.merchant_id,
            live=False,
            actor="test",
            order=factories.an_order(
                customer_id=row["id"], payer=factories.Payer(name=row["name"], email=row["email"])
            ),
            means=Means("card", card=factories.GOOD_CARD, store=True),
        )
    return f"/admin/customers/{public_id('cus', row['id'])}", row


@pytest.fixture
def told(app):
    """told(subject id): [(name, data)] of its events, in order."""

    def read(subject):
        with app.app_context(), reading(ALL) as connection:
            query = text("SELECT name, data FROM events WHERE subject_id = :id ORDER BY id")
            return [(row.name, row.data) for row in connection.execute(query, {"id": subject})]

    return read


def test_a_guest_gets_a_page_from_their_payment(app, desk, desks, made, tenant, told):
    guest = factories.Payer(name="Gerda Gast", email="gerda@example.com")
    done = made(factories.captured, tenant, 1_200, payer=guest)
    page = desk.open(f"/admin/payments/{public_id('pay', done.payment['id'])}")
    after = desk.send(page, page.form_to("/payer"))
    assert after.path.startswith("/admin/customers/cus_")
    assert "Gerda Gast" in after.text and "gerda@example.com" in after.text
    assert told(parse_id("cus", after.path.partition("?")[0].rsplit("/", 1)[1]))[0][0] == "customer.added"
    assert "/payer" not in desks("operator").open(page.path).html


@pytest.mark.parametrize("by", ["number", "name", "email", "surname"])
def test_a_customer_is_found_by_how_they_are_called(desk, customer, by):
    _path, row = customer
    typed = row["name"].split()[-1] if by == "surname" else row[by]
    page = desk.open(f"/admin/customers/?mode=test&who={typed[:-1]}")
    assert row["name"] in page.text and row["email"] in page.text


def test_the_page_shows_payments_and_what_can_be_charged_again(desk, customer):
    path, row = customer
    page = desk.open(path)
    assert row["name"] in page.text and row["email"] in page.text
    assert "Visa •••• 4242" in page.text and "Erika Muster" in page.text, "the holder of the stored card"


def test_without_the_right_names_are_hidden_and_cannot_be_looked_for(desks, customer):
    path, row = customer
    desk = desks("accountant")
    for address in (path, f"/admin/customers/?mode=test&who={row['number']}"):
        page = desk.open(address)
        assert row["number"] in page.text
        assert NAME not in page.html and row["email"] not in page.html and "Erika" not in page.html
    for typed in (row["name"], row["email"]):
        page = desk.open(f"/admin/customers/?mode=test&who={typed}")
        assert row["number"] not in page.text


def test_restricting_needs_a_reason_and_is_undone_the_same_way(desk, desks, customer, told):
    path, row = customer
    page = desk.open(f"{path}/restrict")
    assert "This is needed." in desk.send(page, page.own_form, reason="").text
    page = desk.send(page, page.own_form, reason="says it is wrong")
    assert "Processing is restricted" in page.text and row["name"] in page.text
    support = desks("support")
    assert row["name"] not in support.open(path).html
    assert row["name"] not in support.open("/admin/payments/?mode=test").html
    assert row["number"] not in support.open(f"/admin/customers/?mode=test&who={row['name']}").text
    page = desk.open(f"{path}/restrict")
    assert "The restriction is lifted." in desk.send(page, page.own_form, reason="checked").text
    assert row["name"] in support.open(path).html
    names = [name for name, _data in told(row["id"])]
    assert [name for name in names if name in ("customer.restricted", "customer.released")] == [
        "customer.restricted",
        "customer.released",
    ]


def test_a_restricted_guest_is_hidden_and_an_erased_one_stays_hidden(desk, desks, made, tenant, page_of):
    name, email = f"Guntram{uuid7().hex[-8:]}", f"{uuid7().hex[-8:]}@guests.example"
    done = made(factories.captured, tenant, 1_300, payer=factories.Payer(name=name, email=email))
    support = desks("support")
    places = page_of(done), "/admin/payments/?mode=test", f"/admin/search/?q={email}", f"/admin/search/?q={name}"
    assert [place for place in places if name not in support.open(place).html] == []
    page = desk.open(page_of(done))
    path = desk.send(page, page.form_to("/payer")).path.partition("?")[0]
    page = desk.open(f"{path}/restrict")
    desk.send(page, page.own_form, reason="says it is wrong")
    assert _named(support, places, name, done) == []
    page = desk.open(f"{path}/erase")
    desk.send(page, page.own_form, reason="Art. 17")
    assert _named(support, places, name, done) == []
    assert _named(desk, places, name, done) == [], "an administrator finds no blocked voucher either"


def _named(desk, places, name, done):
    """Where the payer is named, or found by what is personal (what was asked for stands on every page of results)."""
    pages = [(place, desk.open(place).html) for place in places]
    reference = public_id("pay", done.payment["id"])
    return [place for place, html in pages if (reference if "search" in place else name) in html]


def test_everything_known_is_handed_out_once(desk, customer, told):
    path, row = customer
    page = desk.open(f"{path}/export")
    fields = {**page.own_form.fields, "reason": "asked by letter"}
    answer = desk.ask(f"{path}/export", "POST", data=fields)
    assert answer.mimetype == "application/zip" and answer.headers["Cache-Control"] == "no-store"
    files = zipfile.ZipFile(io.BytesIO(answer.data))
    assert json.loads(files.read("data.json"))["payments"][0]["payer"]["email"] == row["email"]
    assert "Was über Sie bekannt ist" in files.read("data.html").decode(), "in the customer's language"
    again = desk.ask(f"{path}/export", "POST", data=fields)
    assert again.status_code == 303
    exported = [data for name, data in told(row["id"]) if name == "customer.exported"]
    assert [data["reason"] for data in exported] == ["asked by letter"]


def test_erasing_says_before_what_stays_and_until_when(desk, customer, told):
    path, row = customer
    page = desk.open(f"{path}/erase")
    assert "§ 147 (3) AO" in page.text and "It goes at once and for good." in page.text
    page = desk.send(page, page.own_form, reason="Art. 17")
    assert "The data are erased." in page.text
    assert page.path == path and "/erase" not in page.html and "/restrict" not in page.html
    [erased] = [data for name, data in told(row["id"]) if name == "customer.erased"]
    assert erased["reason"] == "Art. 17" and erased["removed"]["instruments"] == 1


def test_what_the_database_refuses_is_said(desk):
    assert desk.open("/admin/customers/cus_00000000000000000000000000").status == 404
    assert desk.open("/admin/customers/?who=%25").status == 200
