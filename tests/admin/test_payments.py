"""The list of payments, the search, and the page of one payment."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from app.connectors.kinds import Payer
from app.core.clock import now
from app.core.db import ALL, reading
from app.core.ids import public_id
from app.payments import search
from app.payments.capture import capture
from app.payments.refund import refund
from tests import factories
from tests.admin.desk import user


@pytest.fixture(scope="module")
def shop(app, acquirers):
    """A merchant of this module's own, whose payments are counted."""
    with app.app_context():
        return factories.tenant(acquirers["A"])


@pytest.fixture(scope="module")
def seven(app, shop):
    """Seven payments, the first one the oldest: 1,00 to 7,00; two captured, one of them refunded in part."""
    with app.app_context():
        made = [
            factories.authorised(shop, 100 * number, merchant_reference=f"seven-{number}") for number in range(1, 8)
        ]
        to = {"merchant_id": shop.merchant_id, "live": False, "actor": "test"}
        capture(**to, payment_id=made[1].payment["id"])
        capture(**to, payment_id=made[2].payment["id"])
        refund(**to, payment_id=made[2].payment["id"], amount=50)
    return made


@pytest.fixture
def listed(desk, shop, seven):
    """References that the list shows for some filters, in its order."""

    def show(**filters):
        query = urlencode(filters, doseq=True)
        page = desk.open(f"/admin/payments/?mode=test&merchant={public_id('mer', shop.merchant_id)}&{query}")
        assert page.status == 200
        return [word for word in page.text.split() if word.startswith("seven-")]

    return show


def numbers(*wanted):
    return [f"seven-{number}" for number in wanted]


def test_the_list_begins_with_the_newest(listed):
    assert listed() == numbers(7, 6, 5, 4, 3, 2, 1)


def test_it_can_begin_with_the_oldest(listed):
    assert listed(sort="oldest") == numbers(1, 2, 3, 4, 5, 6, 7)


def test_statuses_narrow_it_and_add_up(listed):
    assert listed(status="captured") == numbers(2)
    assert listed(status=("captured", "partially_refunded")) == numbers(3, 2)
    assert listed(status="no-such-status") == []


@pytest.mark.parametrize(
    ("least", "most", "found"), [("3,00", "5.00", (5, 4, 3)), ("6", "", (7, 6)), ("", "1,5", (1,))]
)
def test_amounts_narrow_it_as_people_type_them(listed, least, most, found):
    assert listed(least=least, most=most, currency="EUR") == numbers(*found)


def test_an_amount_that_cannot_be_read_is_said_so_and_kept(desk):
    page = desk.open("/admin/payments/?mode=test&least=1.234&currency=EUR")
    assert page.status == 200
    assert any("“1.234” can be read in two ways." in note for note in page.notes)
    assert page.form("least").fields["least"] == "1.234"


def test_days_narrow_it(listed):
    today, yesterday = now().date(), now().date() - timedelta(days=1)
    assert len(listed(since=yesterday.isoformat())) == 7
    assert listed(until=(yesterday - timedelta(days=1)).isoformat()) == []
    assert listed(since=today.replace(year=today.year + 1).isoformat()) == []


def test_another_currency_or_method_has_none(listed):
    assert listed(currency="JPY") == []
    assert listed(method="paypal") == []
    assert len(listed(method="card")) == 7


def test_a_shop_narrows_it_too(listed, acquirers, made, desk):
    elsewhere = made(factories.tenant, acquirers["A"])
    assert listed(shop=public_id("shp", elsewhere.shop_id)) == []
    assert listed(shop="shp_unknown") == []
    made(factories.authorised, elsewhere, 800, merchant_reference="in-the-shop", shop_id=elsewhere.shop_id)
    made(factories.authorised, elsewhere, 800, merchant_reference="in-no-shop")
    page = desk.open(f"/admin/payments/?mode=test&shop={public_id('shp', elsewhere.shop_id)}")
    assert "in-the-shop" in page.text and "in-no-shop" not in page.text and "seven-7" not in page.text


def test_filters_are_chips_in_the_address_that_can_be_taken_away(desk, shop, seven):
    merchant = public_id("mer", shop.merchant_id)
    page = desk.open(f"/admin/payments/?mode=test&merchant={merchant}&status=captured&sort=oldest")
    assert "Status: Captured" in page.text
    assert f"?mode=test&amp;merchant={merchant}&amp;sort=oldest" in page.html


def test_pages_follow_each_other_without_gaps(app, shop, seven):
    filters = search.Filters(live=False, merchants=(shop.merchant_id,))
    seen, after, pages = [], None, []
    with app.app_context(), reading(ALL) as connection:
        while True:
            page = search.listed(connection, filters, limit=3, after=after)
            pages.append(page)
            seen += [row["merchant_reference"] for row in page.rows]
            if not page.has_next:
                break
            after = page.rows[-1]["id"]
        back = search.listed(connection, filters, limit=3, before=pages[1].rows[0]["id"])
    assert seen == numbers(7, 6, 5, 4, 3, 2, 1)
    assert [page.has_previous for page in pages] == [False, True, True]
    assert [row["merchant_reference"] for row in back.rows] == numbers(7, 6, 5)
    assert back.has_previous is False and back.has_next is True


def test_a_list_with_nothing_in_it_says_what_would_stand_there(desk):
    page = desk.open("/admin/payments/?mode=live")
    assert "No payments yet" in page.text
    assert "No payment fits these filters" in desk.open("/admin/payments/?mode=live&status=failed").text
    desk.open("/admin/payments/?mode=test")


# search


@pytest.fixture(scope="module")
def needle(app, tenant):
    """A payment that can be found in every way."""
    payer = Payer(name="Grete Sänger-Öl", email="Grete@Needle.example")
    with app.app_context():
        return factories.authorised(
            tenant, 4_321, card=factories.card("mastercard"), merchant_reference="Needle/2026-1", payer=payer
        )


@pytest.mark.parametrize(
    "asked",
    [
        *("Needle/2026-1", "needle/2026", "grete@needle.example", "GRETE@NEEDLE", "grete sänger-öl", "Grete S"),
        *("sänger-öl", "SÄNGER", "4444"),
    ],
)
def test_what_a_caller_remembers_finds_the_payment(desk, needle, asked):
    page = desk.open(f"/admin/search/?q={asked}&mode=test")
    assert "Needle/2026-1" in page.text


@pytest.mark.parametrize("asked", ["eedle", "2026-1", "änger", "needle.example", "444", "%", "_", "nee%", ""])
def test_what_stands_in_the_middle_finds_nothing(desk, needle, asked):
    page = desk.open(f"/admin/search/?q={asked}&mode=test")
    assert page.status == 200
    assert "Needle/2026-1" not in page.text


def test_the_one_hit_is_opened_at_once(desk, needle, page_of):
    assert desk.open("/admin/search/?q=needle&mode=test").path == page_of(needle)


def test_ids_lead_to_their_thing_whatever_the_mode(desk, tenant, needle, page_of):
    desk.open("/admin/?mode=live")
    for prefix, value in (("pay", needle.payment["id"]), ("op", needle.operation["id"])):
        assert desk.open(f"/admin/search/?q={public_id(prefix, value)}").path == page_of(needle)
    assert desk.open(f"/admin/search/?q={needle.payment['id']}").path == page_of(needle)
    merchant = public_id("mer", tenant.merchant_id)
    assert desk.open(f"/admin/search/?q={merchant}").path == f"/admin/merchants/{merchant}"


def test_what_is_only_in_the_other_mode_is_hinted_at(desk, needle):
    page = desk.open("/admin/search/?q=needle&mode=live")
    assert "Nothing found for “needle”" in page.text
    assert "There is something in the test data" in page.text


# one payment


def test_its_page_shows_sums_what_happened_and_what_was_booked(made, tenant, desk, page_of):
    done = made(factories.captured, tenant, 8_000)
    made(refund, merchant_id=tenant.merchant_id, live=False, payment_id=done.payment["id"], amount=1_250, actor="test")
    text = desk.open(page_of(done)).text
    for words in (
        *("Captured and kept €67.50", "Refunded €12.50", "Refund succeeded", "Capture succeeded"),
        *("Payment started", "Owed by the provider", "Erika Muster", "erika@example.com", "Visa •••• 4242"),
    ):
        assert words in text, words


def test_it_says_why_something_cannot_be_done(made, tenant, desk, page_of):
    text = desk.open(page_of(made(factories.authorised, tenant))).text
    assert "Capture €100.00" in text and "Cancel €100.00" in text
    assert "Refund Nothing is left to refund." in text


def test_it_names_who_did_what(app, made, tenant, desk, desks, page_of):
    desks("operator")
    done = made(factories.authorised, tenant)
    page = desks("operator").open(f"{page_of(done)}/cancel")
    desks("operator").send(page, page.form("reason"), reason="Kunde hat storniert")
    text = desk.open(page_of(done)).text
    assert "Cancellation succeeded" in text
    assert "Reason: Kunde hat storniert · Operator" in text
    with app.app_context():
        user("support", email="silent@example.com")


def test_a_failed_payment_says_why_in_plain_words(made, tenant, desk, page_of):
    done = made(factories.authorised, tenant, card=factories.card("insufficient_funds"))
    text = desk.open(page_of(done)).text
    assert "Failed" in text and "Not enough money on the account" in text


def test_raw_data_has_no_secret(made, tenant, desk, page_of):
    html = desk.open(page_of(made(factories.authorised, tenant))).html
    assert "&#34;provider_reference&#34;" in html
    assert "4242424242424242" not in html and "api_key" not in html


def test_no_card_number_is_stored_in_a_text_that_somebody_types(app, made, tenant, desk, page_of):
    done = made(factories.captured, tenant, 5_000)
    page = desk.open(f"{page_of(done)}/refund")
    refused = desk.send(page, page.form("amount"), amount="1,00", reason="back to 4242 4242 4242 4242")
    assert refused.errors[0].startswith("This text holds what looks like a card number. It was not stored.")
    page = desk.open(page_of(done))
    assert "looks like a card number" in desk.send(page, page.form_to("/notes"), said="card 4242424242424242.").text
    with app.app_context(), reading(ALL) as connection:
        kept = connection.execute(
            text("SELECT count(*) FROM payment_notes WHERE payment_id = :id"), {"id": done.payment["id"]}
        )
        assert kept.scalar_one() == 0
