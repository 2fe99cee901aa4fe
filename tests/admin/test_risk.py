"""Block list and amount ceilings in the back office."""

import pytest
from sqlalchemy import select, text

from app.core.db import ALL, reading
from app.core.ids import public_id
from app.risk.block import ENTRIES
from app.risk.set_ceiling import CEILINGS
from tests import factories


@pytest.fixture
def mine(tenant):
    return public_id("mer", tenant.merchant_id)


@pytest.fixture
def rows(app, tenant):
    def read(table):
        with app.app_context(), reading(ALL) as connection:
            query = select(table).where(table.c.merchant_id == tenant.merchant_id)
            return connection.execute(query).mappings().all()

    return read


@pytest.fixture
def told(app):
    def read(name):
        with app.app_context(), reading(ALL) as connection:
            query = text("SELECT data FROM events WHERE name = :name ORDER BY id DESC LIMIT 1")
            return connection.execute(query, {"name": name}).scalar_one()

    return read


def test_an_address_is_blocked_listed_and_taken_off_with_reasons(desk, mine, rows, told):
    page = desk.open(f"/admin/blocks/add?merchant={mine}&mode=test")
    form = page.form("value", "reason")
    added = desk.send(page, form, value="Boese@Example.org", reason="Rückbelastungen")
    assert added.notes == ["b…@example.org is blocked from the next payment on."]
    assert "b…@example.org" in added.text and "Rückbelastungen" in added.text and "boese" not in added.html.lower()
    twice = desk.send(page, form, value="boese@example.ORG", reason="x")
    assert twice.errors == ["b…@example.org is on the block list already."]
    entry = next(row for row in rows(ENTRIES) if row["kind"] == "email")
    page = desk.open(f"/admin/blocks/{public_id('blk', entry['id'])}/remove")
    assert "Rückbelastungen" in page.text
    assert desk.send(page, page.own_form).errors == ["This is needed."]
    removed = desk.send(page, page.own_form, reason="Irrtum")
    assert removed.notes == ["b…@example.org may pay again."]
    assert told("block_entry.removed")["reason"] == "Irrtum"
    assert [row for row in rows(ENTRIES) if row["kind"] == "email"] == []


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"value": "nonsense"}, "This is not an e-mail address. Type it like name@example.com."),
        (
            {"kind": "ip", "value": "10.0.0.0/8"},
            "This is not an IP address. Type one address like 192.0.2.7 or 2001:db8::7; ranges cannot be blocked.",
        ),
        ({"value": "ok@example.org", "reason": ""}, "This is needed."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(desk, mine, typed, error):
    page = desk.open(f"/admin/blocks/add?merchant={mine}")
    again = desk.send(page, page.form("value", "reason"), **{"reason": "because", **typed})
    assert again.errors == [error]


def test_the_card_of_a_payment_is_blocked_from_its_page(desk, made, acquirers, page_of):
    shop = made(factories.tenant, acquirers["A"])
    done = made(factories.authorised, shop, 5_000)
    assert "Block this card" in desk.open(page_of(done)).text
    page = desk.open(f"/admin/blocks/add?payment={public_id('pay', done.payment['id'])}")
    assert "Visa •••• 4242" in page.text and "4242424242424242" not in page.html
    assert desk.send(page, page.form("reason"), reason="stolen").notes[0].startswith("Visa •••• 4242 is blocked")
    assert made(factories.authorised, shop).operation["code"] == "refused_by_risk_check"
    again = desk.open(f"/admin/blocks/add?payment={public_id('pay', done.payment['id'])}")
    twice = desk.send(again, again.form("reason"), reason="stolen")
    assert "Visa •••• 4242 is on the block list already." in twice.text


def test_ceilings_are_set_per_currency_as_people_type(desk, mine, rows, told):
    page = desk.open(f"/admin/ceilings/{mine}/change?currency=EUR&mode=test")
    saved = desk.send(page, page.own_form, details_above="250,00", review_above="1.000,00", deny_above="5000")
    assert saved.notes == ["Saved. It counts from the next payment on."]
    assert "€5,000.00" in saved.text
    page = desk.open(f"/admin/ceilings/{mine}/change?currency=JPY")
    desk.send(page, page.own_form, deny_above="90000")
    levels = {row["currency"]: (row["details_above"], row["review_above"], row["deny_above"]) for row in rows(CEILINGS)}
    assert levels == {"EUR": (25_000, 100_000, 500_000), "JPY": (None, None, 90_000)}
    page = desk.open(f"/admin/ceilings/{mine}/change?currency=EUR")
    assert page.own_form.fields["deny_above"] == "5000.00"
    desk.send(page, page.own_form, details_above="", review_above="", deny_above="")
    assert told("amount_ceiling.changed")["after"] == dict.fromkeys(("details_above", "review_above", "deny_above"))
    assert [row["currency"] for row in rows(CEILINGS)] == ["JPY"]


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ({"deny_above": "1.234"}, "can be read in two ways"),
        ({"deny_above": "10,00", "review_above": "20,00"}, "refused before"),
        ({"deny_above": "x"}, "is not an amount"),
    ],
)
def test_a_ceiling_that_makes_no_sense_is_refused_at_its_field(desk, mine, typed, part):
    page = desk.open(f"/admin/ceilings/{mine}/change?currency=EUR")
    again = desk.send(page, page.own_form, **typed)
    assert len(again.errors) == 1 and part in again.errors[0]
    assert desk.open(f"/admin/ceilings/{mine}/change?currency=XXX").status == 404


def test_who_may_only_look_sees_no_buttons(app, desks, desk, mine):
    page = desk.open(f"/admin/blocks/add?merchant={mine}")
    desk.send(page, page.form("value", "reason"), value="looked@example.org", reason="seen")
    support = desks("support").open("/admin/blocks/?mode=test")
    assert "l…@example.org" in support.text and "/remove" not in support.html
    assert "/change" not in desks("support").open("/admin/ceilings/").html
