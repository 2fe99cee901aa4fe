"""Setting a merchant up: the steps are what exists, and each is a page of its own."""

import io

import pytest
from PIL import Image
from sqlalchemy import select, text, update

from app.core.db import ALL, atomic, reading
from app.core.ids import parse_id, public_id
from app.merchants.add import CONTRACTS, SHOPS, add_contract, add_merchant, add_shop
from tests import factories
from tests.admin.test_merchants import picture


@pytest.fixture
def tenant(app, acquirers) -> factories.Tenant:
    """With shop, contract and key; nothing was tested or paid yet."""
    with app.app_context():
        return factories.tenant(acquirers["A"])


@pytest.fixture
def mine(tenant):
    return public_id("mer", tenant.merchant_id)


@pytest.fixture
def steps(desk):
    """`6 of 9`, as the page says; and the label of the button that is next."""

    def read(merchant, mode="test"):
        page = desk.open(f"/admin/onboarding/{merchant}?mode={mode}")
        main = page.html.partition('class="setup-steps"')[2].partition("button main")[2].partition(">")[2]
        return page.text.partition(" steps are done")[0].split("added it. ")[1], main.partition("<")[0]

    return read


def begin(app, name):
    with app.app_context(), atomic(ALL) as connection:
        return add_merchant(connection, name=name, actor="test")


def test_the_steps_are_what_exists_whoever_made_it(app, steps, made, acquirers):
    merchant_id = begin(app, "Schritt für Schritt GmbH")
    mer = public_id("mer", merchant_id)
    assert steps(mer) == ("0 of 9", "Add a shop")
    with app.app_context(), atomic(ALL) as connection:
        add_shop(connection, merchant_id=merchant_id, name="Laden", actor="test", accent="#9a3412")
    assert steps(mer) == ("2 of 9", "Add a contract"), "its own colour is a look"
    with app.app_context(), atomic(ALL) as connection:
        settings = acquirers["A"].settings
        about = {"merchant_id": merchant_id, "live": False, "provider": "sandbox_card", "label": "A", "actor": "test"}
        contract_id = add_contract(connection, **about, settings=settings)
    assert steps(mer) == ("4 of 9", "Test the connection")
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(update(CONTRACTS).where(CONTRACTS.c.id == contract_id).values(check_result="works"))
    assert steps(mer) == ("5 of 9", "Issue a key")
    assert steps(mer, "live") == ("2 of 8", "Add a contract"), "live mode has steps of its own"


def test_a_payment_that_went_through_says_that_the_connection_works(made, tenant, mine, steps):
    assert steps(mine)[1] == "Test the connection"
    made(factories.authorised, tenant)
    assert "Connection" not in steps(mine)[1]


def test_the_merchants_page_shows_what_is_missing_until_nothing_is(desk, mine):
    page = desk.open(f"/admin/merchants/{mine}?mode=test")
    assert "Not ready for payments yet" in page.text and "setup=1" in page.html
    assert f"/admin/onboarding/{mine}" in page.html


def test_who_may_only_look_gets_no_buttons(desks, mine):
    page = desks("support").open(f"/admin/onboarding/{mine}?mode=test")
    assert page.status == 200 and "Test the connection" not in page.text and "/trial" not in page.html


def test_a_form_of_a_step_leads_back_to_the_steps_and_by_itself_to_its_own_page(desk, tenant, mine):
    page = desk.open(f"/admin/shops/{tenant.shop}/change?setup=1")
    assert "All steps" in page.text
    assert desk.send(page, page.form("name", "accent"), name="Eins").path == f"/admin/onboarding/{mine}"
    alone = desk.open(f"/admin/shops/{tenant.shop}/change")
    assert "All steps" not in alone.text
    assert desk.send(alone, alone.form("name", "accent"), name="Zwei").path == f"/admin/shops/{tenant.shop}"


def test_a_trial_checkout_is_opened_once_per_press(app, desk, tenant, mine):
    form = desk.open(f"/admin/onboarding/{mine}?mode=test").form_to("/trial")
    opened = desk.ask(form.action, "POST", data=form.fields)
    assert opened.status_code == 303 and "/pay/chk_" in opened.headers["Location"]
    again = desk.ask(form.action, "POST", data=form.fields, follow_redirects=True)
    assert "was sent before" in again.get_data(as_text=True)
    with app.app_context(), reading(ALL) as connection:
        query = text("SELECT amount, currency, live, source FROM payments WHERE merchant_id = :id")
        assert connection.execute(query, {"id": tenant.merchant_id}).all() == [(1_900, "EUR", False, "checkout")]


def test_without_a_shop_there_is_nothing_to_try(app, desk, mine):
    mer = public_id("mer", begin(app, "Noch nichts da GmbH"))
    token = desk.open(f"/admin/onboarding/{mine}?mode=test").form_to("/trial").fields["csrf_token"]
    answer = desk.ask(f"/admin/onboarding/{mer}/trial", "POST", data={"csrf_token": token}, follow_redirects=True)
    assert "A checkout needs a shop and a way to pay." in answer.get_data(as_text=True)


# the connection


@pytest.fixture
def contract(app, tenant):
    def read():
        with app.app_context(), reading(ALL) as connection:
            query = select(CONTRACTS).where(CONTRACTS.c.id == tenant.contract_id)
            return connection.execute(query).mappings().one()

    return read


def test_a_stored_contract_is_tested_on_its_page(desk, tenant, contract):
    page = desk.open(f"/admin/contracts/{public_id('ctr', tenant.contract_id)}")
    assert "Not tested" in page.text
    tested = desk.send(page, page.form_to("/check"))
    assert tested.notes == ["The connection works: Sandbox card acquirer takes these credentials."]
    assert "Works" in tested.text and contract()["check_result"] == "works"


def test_new_credentials_are_tested_when_they_are_saved(desk, tenant, contract):
    path = f"/admin/contracts/{public_id('ctr', tenant.contract_id)}"
    page = desk.open(f"{path}/change")
    assert desk.send(page, page.form("label"), label="Nur der Name").notes == ["Saved."]
    page = desk.open(f"{path}/change")
    saved = desk.send(page, page.form("label"), setting_api_key="wrong")
    assert saved.notes[1].startswith("Sandbox card acquirer answers, but refuses these credentials.")
    assert "It says: wrong_key." in saved.notes[1] and contract()["check_result"] == "refused"


def test_what_is_typed_is_tested_without_saving_it(desk, tenant, contract):
    before = contract()
    path = f"/admin/contracts/{public_id('ctr', tenant.contract_id)}/change"
    page = desk.open(path)
    fields = {**page.form("label").fields, "setting_api_key": "wrong", "test": "1"}
    plain = desk.ask(path, "POST", data=fields)
    assert plain.status_code == 200 and "refuses these credentials" in plain.get_data(as_text=True)
    told = desk.ask(path, "POST", data=fields, headers={"Accept": "application/json"}).json
    assert told["tone"] == "bad" and "refuses" in told["sentence"]
    good = {**fields, "setting_api_key": ""}
    assert desk.ask(path, "POST", data=good, headers={"Accept": "application/json"}).json["tone"] == "good"
    missing = {**fields, "setting_url": ""}
    said = desk.ask(path, "POST", data=missing, headers={"Accept": "application/json"}).json["sentence"]
    assert "is needed" in said
    assert contract() == before


def test_too_many_tests_are_refused_in_words(desk, tenant):
    page = desk.open(f"/admin/contracts/{public_id('ctr', tenant.contract_id)}")
    notes = [desk.send(page, page.form_to("/check")).notes[0] for _ in range(11)]
    assert notes[-1].startswith("The connections of this merchant were tested 10 times within a minute.")


# ways to pay


def test_methods_are_shown_per_currency_and_contracts_put_in_order(app, desk, tenant, mine, acquirers):
    with app.app_context():
        second = factories.add_contract_to(tenant, "Zweiter", priority=300, acquirer=acquirers["B"])
    page = desk.open(f"/admin/methods/{mine}?mode=test")
    assert "What payers can choose in EUR" in page.text and "Acquirer A › Zweiter" in page.text
    assert "Zweiter" not in desk.open(f"/admin/methods/{mine}?currency=JPY").text.partition("Contracts in")[0]
    form = next(one for one in page.forms if one.fields.get("contract") == public_id("ctr", second))
    moved = desk.send(page, form)
    assert moved.notes == ["Zweiter is tried earlier now."] and "Zweiter › Acquirer A" in moved.text
    with app.app_context(), reading(ALL) as connection:
        query = select(CONTRACTS.c.label).where(CONTRACTS.c.merchant_id == tenant.merchant_id)
        assert connection.execute(query.order_by(CONTRACTS.c.priority)).scalars().all() == ["Zweiter", "Acquirer A"]
        told = text("SELECT count(*) FROM events WHERE merchant_id = :id AND name = 'contract.changed'")
        assert connection.execute(told, {"id": tenant.merchant_id}).scalar_one() == 2


# the look


def test_a_chosen_logo_survives_an_answer_about_something_else(app, desk, tenant):
    page = desk.open(f"/admin/shops/{tenant.shop}/change")
    form, logo = page.form("name", "accent"), (io.BytesIO(picture()), "logo.png")
    again = desk.send(page, form, accent="#7a7f86", logo=logo)
    kept = again.form("name", "accent").fields["kept_logo"]
    assert kept and "The logo you have chosen" in again.html
    desk.send(again, again.form("name", "accent"), accent="#9a3412")
    with app.app_context(), reading(ALL) as connection:
        query = select(SHOPS.c.logo).where(SHOPS.c.id == parse_id("shp", tenant.shop))
        assert Image.open(io.BytesIO(connection.execute(query).scalar_one())).size == (480, 160)


def test_a_kept_logo_is_as_little_believed_as_a_file(desk, tenant):
    page = desk.open(f"/admin/shops/{tenant.shop}/change")
    again = desk.send(page, page.form("name", "accent"), kept_logo="PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+")
    assert len(again.errors) == 1 and again.errors[0].startswith("Vector pictures")


@pytest.mark.parametrize(
    ("typed", "ok", "nearest"), [("#9a3412", True, "#9a3412"), ("#7a7f86", False, None), ("blue", False, "")]
)
def test_contrast_is_told_while_typing(desk, typed, ok, nearest):
    told = desk.ask("/admin/shops/contrast", query_string={"accent": typed}).json
    assert told["ok"] is ok
    if nearest is None:
        assert told["nearest"].startswith("#") and "hard to read" in told["sentence"]
        assert desk.ask("/admin/shops/contrast", query_string={"accent": told["nearest"]}).json["ok"]
    else:
        assert told["nearest"] == nearest


def test_only_pages_with_a_preview_may_frame_something(desk, tenant, mine):
    def frames(path):
        return desk.open(path).headers["Content-Security-Policy"].partition("frame-src ")[2].partition(";")[0]

    assert frames(f"/admin/shops/{tenant.shop}/change") == "'self'" == frames(f"/admin/methods/{mine}")
    assert frames(f"/admin/shops/{tenant.shop}") == "'none'" == frames("/admin/")
