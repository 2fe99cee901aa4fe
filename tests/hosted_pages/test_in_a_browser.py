"""The checkout in a real browser: with scripts, without, by keyboard, twice, backwards, in two tabs."""

import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from app.core.db import ALL, reading
from app.payments.queries import OPERATIONS
from app.payments.resolve import resolve
from sandbox.acquirers.cards import CARD_BY_NAME
from tests.browser import PHONE, new_context
from tests.hosted_pages.conftest import charges, operation_of
from tests.hosted_pages.pages import THANKS, fill, pay

pytestmark = pytest.mark.browser


@pytest.fixture
def page_without_scripts(browser):
    context = new_context(browser, java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_a_payment_on_a_page_of_its_own(plain_page, site, new_checkout, acquirers):
    opened = new_checkout()
    plain_page.goto(site.checkout(opened.checkout["id"]))
    pay(plain_page, "visa")
    expect(plain_page.locator("h1")).to_have_text(THANKS)
    assert plain_page.complaints == []
    assert plain_page.context.cookies() == []
    assert plain_page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert charges(acquirers, opened) == 1


def test_three_d_secure_on_a_page_of_its_own(plain_page, site, new_checkout):
    plain_page.goto(site.checkout(new_checkout().checkout["id"]))
    pay(plain_page, "challenge")
    plain_page.get_by_role("button", name="Freigeben").click()
    expect(plain_page.locator("h1")).to_have_text(THANKS)
    assert plain_page.complaints == []


def test_everything_works_without_scripts(page_without_scripts, site, new_checkout, acquirers):
    page, opened = page_without_scripts, new_checkout()
    page.goto(site.checkout(opened.checkout["id"]))
    page.locator("form.pay button").click()
    expect(page.locator("#f-number-error")).to_have_text("Geben Sie die Kartennummer ein.")
    expect(page.locator("#f-number")).to_be_focused()
    pay(page, "insufficient_funds")
    expect(page.locator(".notice")).to_contain_text("nicht genug Geld")
    pay(page, "challenge")
    page.get_by_role("button", name="Freigeben").click()
    expect(page.locator("h1")).to_have_text(THANKS)
    assert charges(acquirers, opened) == 1


def test_a_waiting_page_moves_on_without_scripts(app, page_without_scripts, site, new_checkout):
    opened = new_checkout()
    page_without_scripts.goto(site.checkout(opened.checkout["id"]))
    pay(page_without_scripts, "no_answer")
    expect(page_without_scripts.locator("h1")).to_have_text("Ihre Bank prüft die Zahlung")
    find_out(app, opened)
    expect(page_without_scripts.locator("h1")).to_have_text(THANKS)


def test_a_waiting_page_moves_on_with_scripts(app, plain_page, site, new_checkout):
    opened = new_checkout()
    plain_page.goto(site.checkout(opened.checkout["id"]))
    pay(plain_page, "no_answer")
    expect(plain_page.locator("h1")).to_have_text("Ihre Bank prüft die Zahlung")
    find_out(app, opened)
    expect(plain_page.locator("h1")).to_have_text(THANKS)
    assert plain_page.complaints == []


def test_the_number_is_grouped_while_it_is_typed_and_the_brand_is_seen(browser_page, site, new_checkout):
    page = browser_page
    page.goto(site.checkout(new_checkout().checkout["id"]))
    number, expiry = page.locator("#f-number"), page.locator("#f-expiry")
    number.press_sequentially("42424242424")
    expect(number).to_have_value("4242 4242 424")
    expect(page.locator(".brand svg")).to_have_attribute("data-brand", "visa")
    number.press("Home")
    number.press("ArrowRight")
    number.press_sequentially("9")  # the caret stays where it was, not at the end
    expect(number).to_have_value("4924 2424 2424")
    assert number.evaluate("input => input.selectionStart") == 2
    number.fill(" 3782-8224 6310005 ")
    expect(number).to_have_value("3782 822463 10005")
    expect(page.locator("#f-code-help")).to_have_text("4 Ziffern auf der Vorderseite")
    for typed, shown in (("1230", "12/30"), ("730", "07/30"), ("1/31", "01/31"), ("12/2034", "12/2034")):
        expiry.fill("")
        expiry.press_sequentially(typed)
        expect(expiry).to_have_value(shown)
    expiry.press("Backspace")
    expiry.press("Backspace")
    expect(expiry).to_have_value("12/20")


def test_wrong_input_is_caught_before_it_is_sent_and_nothing_typed_is_lost(browser_page, site, new_checkout):
    page = browser_page
    page.goto(site.checkout(new_checkout().checkout["id"]))
    fill(page, "visa")
    page.locator("#f-expiry").fill("01/20")
    page.locator("#f-code").fill("1")
    sent: list[str] = []
    page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    page.locator("form.pay button").click()
    expect(page.locator("#f-expiry-error")).to_contain_text("abgelaufen")
    expect(page.locator("#f-expiry")).to_be_focused()
    expect(page).to_have_title("Fehler: Bezahlen – " + page.locator(".who strong").inner_text())
    expect(page.locator("#f-number")).to_have_value("4242 4242 4242 4242")
    assert sent == []
    page.locator("#f-expiry").fill("12/34")
    expect(page.locator("#f-expiry")).not_to_have_attribute("aria-invalid", "true")
    page.locator("#f-code").fill("123")
    page.locator("form.pay button").click()
    expect(page.locator("h1")).to_have_text(THANKS)


def test_the_keyboard_alone_pays(browser_page, site, new_checkout):
    page = browser_page
    page.goto(site.checkout(new_checkout().checkout["id"]))
    for typed in ("4242424242424242", "1234", "123", "Erika Mustermann"):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.type(typed)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Zahlungspflichtig bestellen"
    page.keyboard.press("Space")
    expect(page.locator("h1")).to_have_text(THANKS)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_double_click_pays_once(browser, site, new_checkout, acquirers, scripts):
    context = new_context(browser, java_script_enabled=scripts)
    page, opened = context.new_page(), new_checkout()
    page.goto(site.checkout(opened.checkout["id"]))
    fill(page, "slow")
    page.locator("form.pay button").dblclick(no_wait_after=True)
    expect(page.locator("h1")).to_have_text(THANKS)
    assert charges(acquirers, opened) == 1
    context.close()


def test_going_back_and_reloading_after_paying_shows_that_it_is_paid(browser_page, site, new_checkout, acquirers):
    page, opened = browser_page, new_checkout()
    page.goto(site.checkout(opened.checkout["id"]))
    pay(page, "visa")
    expect(page.locator("h1")).to_have_text(THANKS)
    page.reload()
    expect(page.locator("h1")).to_have_text(THANKS)
    page.go_back()
    expect(page.locator("h1")).to_have_text(THANKS)
    assert charges(acquirers, opened) == 1


def test_going_back_from_the_bank_offers_to_go_on(browser_page, site, new_checkout):
    page = browser_page
    page.goto(site.checkout(new_checkout().checkout["id"]))
    pay(page, "challenge")
    expect(page.get_by_role("button", name="Freigeben")).to_be_visible()
    page.go_back()
    expect(page.locator("h1")).to_have_text("Ihre Bestätigung fehlt noch")
    page.get_by_role("link", name="Weiter zur Bestätigung").click()
    page.get_by_role("button", name="Freigeben").click()
    expect(page.locator("h1")).to_have_text(THANKS)


def test_two_tabs_pay_once_and_both_say_so(browser, site, new_checkout, acquirers):
    context, opened = new_context(browser), new_checkout()
    one, other = context.new_page(), context.new_page()
    for page in (one, other):
        page.goto(site.checkout(opened.checkout["id"]))
        fill(page, "slow")
    one.locator("form.pay button").click(no_wait_after=True)
    other.locator("form.pay button").click(no_wait_after=True)
    for page in (one, other):
        expect(page.locator("h1")).to_have_text(THANKS)
    assert charges(acquirers, opened) == 1
    context.close()


def test_the_language_chosen_stays_through_the_bank_and_back(browser_page, site, new_checkout):
    page = browser_page
    page.goto(site.checkout(new_checkout().checkout["id"]))
    page.get_by_role("link", name="English").click()
    expect(page.locator("form.pay button")).to_have_text("Order with obligation to pay")
    pay(page, "challenge")
    page.locator("button.primary").click()
    expect(page.locator("h1")).to_have_text("Thank you for your payment")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_cut_off_and_fields_are_big_enough(browser, site, new_checkout, width):
    context = new_context(browser, **{**PHONE, "viewport": {"width": width, "height": 700}})
    page = context.new_page()
    page.goto(site.checkout(new_checkout(amount=99_999_999).checkout["id"]))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = page.locator("form.pay input:not([type=hidden]), form.pay button").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= 48
    column = page.locator("main").bounding_box()
    assert column and column["width"] <= 480
    context.close()


def test_amount_and_payee_stay_in_sight_while_the_page_is_scrolled(browser, site, new_checkout):
    context = new_context(browser, **PHONE)
    page = context.new_page()
    page.goto(site.checkout(new_checkout().checkout["id"]))
    page.locator("footer").scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 0
    expect(page.locator("header .sum")).to_be_in_viewport()
    expect(page.locator("header .who")).to_be_in_viewport()
    context.close()


def test_no_log_line_holds_a_card_or_a_link(browser_page, site, new_checkout):
    """Runs last of those that pay here: the log of the whole module is read."""
    opened = new_checkout()
    browser_page.goto(site.checkout(opened.checkout["id"]))
    pay(browser_page, "amex")
    expect(browser_page.locator("h1")).to_have_text(THANKS)
    log = site.log.read_text()
    assert urlsplit(site.checkout(opened.checkout["id"])).path.rpartition(".")[2] not in log
    for card in CARD_BY_NAME.values():
        assert not card.number or (card.number not in log and card.printed not in log)


def find_out(app, opened) -> None:
    """Asks the provider what became of it, as the job does, as soon as the attempt is unknown."""
    ends = time.monotonic() + 10
    with app.app_context():
        while True:
            with reading(ALL) as connection:
                operation = connection.execute(OPERATIONS.select().where(operation_of(opened))).mappings().one()
            if operation["state"] == "unknown":
                resolve(operation["id"], merchant_id=operation["merchant_id"], live=False)
                return
            assert time.monotonic() < ends, operation["state"]
