"""The one search box: every kind of thing, exact ones first, for the keyboard, and for nobody who may not see it."""

import pytest

from app.connectors.kinds import DisputeNews, Payer
from app.core.db import atomic, of
from app.core.ids import public_id
from app.customers.add import add_customer
from tests import factories


@pytest.fixture(scope="module")
def found(app, tenant):
    """A payment that can be found in every way, its dispute, and its customer."""
    payer = Payer(name="Berta Findling", email="berta@findling.example")
    with app.app_context():
        with atomic(of(tenant.merchant_id, False)) as connection:
            columns = {"number": "FK-1001", "name": "Berta Findling", "email": "berta@findling.example"}
            customer = add_customer(
                connection, merchant_id=tenant.merchant_id, live=False, actor="test", columns=columns
            )
        done = factories.captured(
            tenant,
            4_321,
            merchant_reference="Findling/1",
            payer=payer,
            order_number="FB-1",
            customer_number="FK-1001",
            customer_id=customer["id"],
        )
        reference = factories.authorisation_of(done)["provider_reference"]
        about = DisputeNews("charged_back", "Case-0815-Find", "fraudulent", fee=0, respond_by=None)
        more = {"authorisation_reference": reference, "dispute": about}
        factories.hear(tenant, done, "dispute", "approved", 4_321, reference=reference, **more)
        other = factories.authorised(tenant, merchant_reference="Findling/12", payer=payer, order_number="FB-12")
    return {"payment": done, "other": other, "customer": customer, "provider": reference}


def search(desk, typed):
    return desk.client.get("/admin/search/", query_string={"q": typed, "mode": "test"}, follow_redirects=True)


def headings(answer):
    """The headings of the groups, in their order."""
    text = answer.get_data(as_text=True)
    return [part.split("</h2>")[0].split(">")[-1] for part in text.split('<h2 class="section"')[1:]]


def test_what_is_exact_comes_first_and_each_payment_once(desk, found):
    answer = search(desk, "findling/1")
    assert headings(answer) == ["Reference is “findling/1”", "Reference begins with “findling/1”"]
    assert answer.get_data(as_text=True).count(">Findling/1<") == 1


def test_numbers_of_orders_and_customers_find_too(desk, found, page_of):
    assert search(desk, "fb-12").request.path == page_of(found["other"]), "the one hit is opened at once"
    assert headings(search(desk, "FB-1")) == ["Order number is “FB-1”", "Order number begins with “FB-1”"]
    assert headings(search(desk, "fk-1001")) == [
        "Customer number is “fk-1001”",
        "Customers whose number is “fk-1001”",
    ]


def test_a_name_finds_payments_and_the_customer(desk, found):
    answer = search(desk, "Berta Findling")
    assert headings(answer) == ["Name is “Berta Findling”", "Customers called “Berta Findling”"]
    page = desk.open(f"/admin/payments/?customer={public_id('cus', found['customer']['id'])}")
    assert "Customer: Berta Findling" in page.text
    assert "Findling/1" in page.text and "Findling/12" not in page.text


def test_what_a_provider_says_leads_to_payment_and_dispute(desk, found, page_of):
    assert search(desk, found["provider"]).request.path == page_of(found["payment"])
    answer = search(desk, "Case-0815-Find")
    assert headings(answer)[1] == "The provider calls the dispute “Case-0815-Find”"
    assert "/admin/disputes/dsp_" in answer.get_data(as_text=True)


def test_the_beginning_of_an_id_is_enough(desk, found):
    key = public_id("pay", found["payment"].payment["id"])
    assert search(desk, key[:22]).request.path in (f"/admin/payments/{key}", "/admin/search/")
    assert headings(search(desk, key[:10])) == [f"Payment’s id begins with “{key[:10]}”"]


def test_a_customers_id_leads_to_it(desk, found):
    key = public_id("cus", found["customer"]["id"])
    assert search(desk, key).request.path == f"/admin/customers/{key}"


def test_an_id_that_is_none_is_said_so(desk):
    assert "This is no id of that kind." in desk.open("/admin/payments/?customer=nonsense").text


@pytest.mark.parametrize("typed", ["Berta Findling", "berta@findling.example", "Findling", "fk-1001"])
def test_who_may_not_see_names_does_not_find_by_them(desks, found, typed):
    answer = search(desks("accountant"), typed)
    text = answer.get_data(as_text=True)
    assert "Customers" not in " ".join(headings(answer)) and "berta@findling.example<" not in text
    allowed = {"fk-1001": ["Customer number is “fk-1001”"], "Findling": ["Reference begins with “Findling”"]}
    opened = answer.request.path.startswith("/admin/payments/")  # the one hit
    assert opened or headings(answer) == allowed.get(typed, [])


def test_kinds_that_somebody_may_not_see_are_not_asked(app, desks, found):
    assert "Nothing found" in search(desks("merchant_viewer"), "Berta Findling").get_data(as_text=True)
    assert len(headings(search(desks("merchant_viewer"), "Case-0815-Find"))) == 2


def test_what_is_left_out_is_said(app, desk, made, tenant):
    for number in range(21):
        made(factories.authorised, tenant, 100, merchant_reference="twenty-one", order_number=f"TO-{number}")
    page = desk.open("/admin/search/?q=twenty-one&mode=test")
    assert page.html.count('class="row-link"') == 20
    assert "There are more than these 20." in page.text
    page = desk.open("/admin/search/?q=TO-1&mode=test")
    assert "TO-" not in page.title and "There are more" not in page.text, "eleven of them"
