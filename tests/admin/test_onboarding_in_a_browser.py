"""A merchant is set up in a real browser, from nothing to a paid test checkout; and the comforts along the way."""

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from app.core.db import ALL, reading
from app.core.ids import public_id
from app.merchants.add import SHOPS
from app.messages.deliver import deliver
from tests import factories, live
from tests.admin.desk import PASSWORD, user
from tests.browser import PHONE, accessibility_problems, browser, new_context
from tests.hosted_pages.pages import pay
from tests.messages.receiving import running_receiver

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(app, tmp_path_factory) -> Iterator[live.Site]:
    with app.app_context():
        for language in ("de", "en"):
            user("admin", email=f"{language}@example.com", name="Ada Admin", language=language)
    with live.serving(tmp_path_factory.mktemp("site") / "web.log") as running:
        yield running


@pytest.fixture
def enter(browser, site) -> Iterator[Callable[..., Any]]:
    """Logs in and returns the browser's page, which collects what the browser complains about."""
    contexts = []

    def come_in(language: str = "en", **options: Any) -> Any:
        context = new_context(browser, locale="de-DE" if language == "de" else "en-GB", **options)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda told: told.type in ("error", "warning") and page.complaints.append(told.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{site.url}/admin/login")
        page.fill("#email", f"{language}@example.com")
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url("**/admin/")
        return page

    yield come_in
    for context in contexts:
        context.close()


@pytest.fixture
def picture(tmp_path) -> str:
    path = tmp_path / "logo.png"
    Image.new("RGB", (300, 100), "#0a7a3c").save(path)
    return str(path)


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_merchant_is_set_up_and_ends_with_a_paid_checkout(app, enter, site, acquirers, picture, language):
    page = enter(language)
    axe: list[str] = []

    def look() -> None:
        axe.extend(accessibility_problems(page))

    def next_step() -> None:
        page.locator(".setup-steps > li.next .button.main").click()
        expect(page.locator(".steps-strip .now")).to_be_visible()

    with running_receiver() as receiver:
        page.goto(f"{site.url}/admin/merchants/add?mode=test")
        page.fill("#name", f"Bäckerei Korn {language}")
        page.click("button.main")
        expect(page.locator("h1")).to_contain_text(f"Bäckerei Korn {language}")

        next_step()  # shop
        page.fill("#name", "Korn Laden")
        page.fill("#accent", "#9a3412")
        page.fill("#welcome_de" if language == "de" else "#welcome_en", "Frisch aus dem Ofen")
        if language == "en":
            page.select_option("#language", "en")
        page.set_input_files("#logo", picture)
        shown = page.frame_locator(".preview iframe:not(.coming)")
        expect(shown.locator(".who strong")).to_have_text("Korn Laden")
        expect(shown.locator(".lead")).to_have_text("Frisch aus dem Ofen")
        expect(shown.locator(".who img")).to_be_visible()
        page.locator("form#shop-form button.main").click()

        next_step()  # contract
        page.locator(".tile[href*=sandbox_card]").click()
        page.fill("#setting_url", acquirers["A"].url)
        page.fill("#setting_api_key", "a-wrong-key")
        page.fill("#setting_news_secret", acquirers["A"].settings["news_secret"])
        page.click("[data-try]")
        expect(page.locator("[data-tried].bad")).to_be_visible()
        page.fill("#setting_api_key", acquirers["A"].settings["api_key"])
        page.click("[data-try]")
        expect(page.locator("[data-tried].good")).to_be_visible()
        look()
        page.locator("form .acts button.main").last.click()  # saving tests it once more: that step is done, too
        expect(page.locator(".note.good")).to_have_count(2)

        next_step()  # key
        page.fill("#name", "Kasse")
        page.locator("form .acts button.main").click()
        secret = page.locator("#secret").inner_text()
        page.locator(".card .acts a.main").click()
        expect(page.locator(".ready")).to_be_visible()

        next_step()  # endpoint
        page.fill("#url", f"{receiver.url}/hooks")
        page.locator("form .acts button.main").click()
        page.locator(".card .acts a.main").click()

        next_step()  # heard
        page.locator(".head button.main").click()
        expect(page.locator("#test-outcome[data-again]")).to_be_visible()
        look()
        with app.app_context():
            deliver(app)
        expect(page.locator("#test-outcome .note.good")).to_be_visible()
        expect(page.locator("#test-outcome")).to_contain_text("204")
        page.locator(".steps-strip .back").click()

        page.locator("#trial button.main").click()
        page.wait_for_url(re.compile(r"/pay/"))
        pay(page, "visa")
        expect(page.locator("html")).to_have_attribute("lang", language)
        page.locator("a.button").click()
        page.wait_for_url(re.compile(r"/admin/onboarding/"))
        expect(page.locator(".setup-steps > li.done")).to_have_count(9)
        expect(page.locator(".ready")).to_be_visible()
        look()
    assert axe == []
    assert len(acquirers["A"].did(done="authorised", amount=1900)) >= 1
    headers = {"Authorization": f"Bearer {secret}"}
    paid = app.test_client().get("/v1/payments", headers=headers).json["data"]
    assert [(one["amount"], one["status"]) for one in paid] == [(1900, "authorised")]


@pytest.fixture
def tenant(app, acquirers) -> factories.Tenant:
    with app.app_context():
        return factories.tenant(acquirers["A"])


@pytest.fixture
def stored(app):
    def read(tenant):
        with app.app_context(), reading(ALL) as connection:
            return connection.execute(SHOPS.select().where(SHOPS.c.id == tenant.shop_id)).mappings().one()

    return read


def shop_form(site: live.Site, tenant: factories.Tenant) -> str:
    return f"{site.url}/admin/shops/{tenant.shop}/change"


def test_the_preview_follows_typing_and_the_way_back_still_leads_away(enter, site, tenant, stored):
    page = enter(bypass_csp=False)
    page.goto(f"{site.url}/admin/shops/")
    page.goto(shop_form(site, tenant))
    shown = page.frame_locator(".preview iframe:not(.coming)")
    expect(shown.locator("h1")).to_be_visible()
    for typed in ("Eins", "Eins Zwei", "Eins Zwei Drei"):
        page.fill("#name", typed)
        expect(shown.locator(".who strong")).to_have_text(typed)
    page.select_option("#theme", "dark")
    expect(shown.locator("html")).to_have_class(re.compile("theme-dark"))
    page.select_option("select[name=shown_page]", "paid")
    expect(shown.locator(".receipt")).to_be_visible()
    page.select_option("select[name=shown_language]", "en")
    expect(shown.locator("html")).to_have_attribute("lang", "en")
    assert page.complaints == []
    page.go_back()
    page.wait_for_url("**/admin/shops/")
    assert stored(tenant)["name"] != "Eins Zwei Drei", "nothing is saved by looking"


def test_the_preview_is_as_wide_as_a_phone_or_a_desktop(enter, site, tenant):
    page = enter()
    page.goto(shop_form(site, tenant))
    frame = page.frame_locator(".preview iframe").locator("html")
    assert frame.evaluate("one => one.clientWidth") == 390
    page.locator("label[for=shown-desktop]").click()
    assert frame.evaluate("one => one.clientWidth") == 1200
    page.keyboard.press("ArrowLeft")
    assert frame.evaluate("one => one.clientWidth") == 390


def test_nothing_can_be_pressed_in_the_preview(enter, site, tenant):
    page = enter()
    page.goto(shop_form(site, tenant))
    shown = page.frame_locator(".preview iframe")
    shown.locator("#f-number").fill("4242424242424242")
    shown.locator("button.button").click()
    expect(shown.locator("#f-number")).to_have_value("4242424242424242")
    shown.locator(".leave a").click()
    assert page.url.endswith("/change") and shown.locator("h1").is_visible()


def test_a_weak_colour_is_said_while_typing_and_mended_with_one_click(enter, site, tenant, stored):
    page = enter()
    page.goto(shop_form(site, tenant))
    page.fill("#accent", "#7a7f86")
    expect(page.locator(".weak .warned")).to_contain_text("is hard to read")
    assert accessibility_problems(page) == []
    proposed = page.locator(".weak button").get_attribute("value")
    page.click(".weak button")
    expect(page.locator("#accent")).to_have_value(proposed)
    expect(page.locator(".weak")).to_be_hidden()
    page.locator("form#shop-form button.main").click()
    page.wait_for_url(re.compile(r"/shp_\w+$"))
    assert stored(tenant)["accent"] == proposed


def test_enter_saves_and_does_not_take_a_colour_or_test_a_connection(enter, site, tenant, stored):
    page = enter()
    page.goto(shop_form(site, tenant))
    page.fill("#name", "Mit Eingabetaste")
    page.press("#name", "Enter")
    page.wait_for_url(re.compile(r"/shp_\w+$"))
    assert stored(tenant)["name"] == "Mit Eingabetaste"
    page.goto(f"{site.url}/admin/contracts/{public_id('ctr', tenant.contract_id)}/change")
    page.fill("#label", "Umbenannt")
    page.press("#label", "Enter")
    page.wait_for_url(re.compile(r"/ctr_\w+$"))
    assert page.locator("h1").inner_text() == "Umbenannt"


def test_it_all_works_without_javascript(app, enter, site, acquirers, tenant, stored, picture):
    page = enter(java_script_enabled=False)
    page.goto(shop_form(site, tenant))
    page.fill("#name", "Ohne Skript")
    page.set_input_files("#logo", picture)
    page.click("[data-preview]")
    expect(page.frame_locator(".preview iframe").locator(".who strong")).to_have_text("Ohne Skript")
    page.fill("#accent", "#7a7f86")
    page.locator("form#shop-form button.main").click()
    expect(page.locator(".field.bad .error")).to_contain_text("is hard to read")
    expect(page.locator("img[alt='The logo you have chosen']")).to_be_visible()
    page.click(".weak button")
    assert re.search(r"/shp_\w+$", page.url)
    row = stored(tenant)
    assert row["name"] == "Ohne Skript" and Image.open(io.BytesIO(row["logo"])).size == (300, 100)

    page.goto(f"{site.url}/admin/contracts/{public_id('ctr', tenant.contract_id)}/change")
    page.fill("#setting_api_key", "a-wrong-key")
    page.click("[data-try]")
    expect(page.locator(".trying .note.bad")).to_contain_text("refuses these credentials")
    expect(page.locator("#setting_api_key")).to_have_value("a-wrong-key")

    with running_receiver() as receiver:
        page.goto(f"{site.url}/admin/endpoints/add?merchant={public_id('mer', tenant.merchant_id)}")
        page.fill("#url", f"{receiver.url}/hooks")
        page.locator("form .acts button.main").click()
        page.goto(f"{site.url}/admin/endpoints/")
        page.click(f"text={receiver.url}/hooks")
        page.locator(".head button.main").click()
        expect(page.locator("#test-outcome")).to_contain_text("on its way")
        with app.app_context():
            deliver(app)
        expect(page.locator("#test-outcome .note.good")).to_be_visible()  # the page comes again by itself


def test_the_steps_fit_on_a_phone(enter, site, tenant):
    page = enter("de", **PHONE)
    mer, shop = public_id("mer", tenant.merchant_id), tenant.shop
    for path in (f"onboarding/{mer}", f"shops/{shop}/change?setup=1", f"methods/{mer}?setup=1", f"merchants/{mer}"):
        page.goto(f"{site.url}/admin/{path}")
        width, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width <= room, path
