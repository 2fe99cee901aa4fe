"""The checkout in a frame of a shop on another site, with third-party cookies blocked."""

import pytest
from playwright.sync_api import expect

from app.core.db import ALL, atomic
from app.core.ids import public_id
from app.merchants.add import add_contract
from tests.browser import cookie_comes_back
from tests.connectors.peers import paypal
from tests.hosted_pages.conftest import SHOP_ORIGIN, charges
from tests.hosted_pages.pages import THANKS, pay, shop_page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("around", "comes_back"), [("127.0.0.1", False), ("localhost", True)])
def test_a_control_cookie_set_in_such_a_frame_does_not_come_back(browser, around, comes_back):
    """The ground of this module: between the two sites cookies are blocked; within one site they are not."""
    assert cookie_comes_back(browser, outside=around, inside="localhost") is comes_back


def test_a_payment_with_three_d_secure_inside_the_frame(plain_page, site, new_checkout, acquirers):
    opened, page = new_checkout(), plain_page
    with shop_page(site, opened) as url:
        page.goto(url)
        frame = page.frame_locator("iframe")
        pay(frame, "challenge")
        frame.get_by_role("button", name="Freigeben").click()
        expect(frame.locator("h1")).to_have_text(THANKS)
        page.wait_for_function("results.length === 1")
        assert page.url == url
        assert page.evaluate("results") == [
            {
                "status": "paid",
                "checkout": public_id("chk", opened.checkout["id"]),
                "payment": public_id("pay", opened.payment["id"]),
            }
        ]
        shown = page.evaluate("document.querySelector('iframe').getBoundingClientRect().height")
        inside = frame.locator("body").evaluate("body => body.getBoundingClientRect().height")
        assert abs(shown - inside) <= 1
        assert page.context.cookies() == []
        assert page.complaints == []
    assert charges(acquirers, opened) == 1


def test_a_no_in_the_frame_is_told_in_the_frame_and_the_shop_hears_of_it_only_at_the_end(
    browser_page,
    site,
    new_checkout,
):
    with shop_page(site, new_checkout()) as url:
        browser_page.goto(url)
        frame = browser_page.frame_locator("iframe")
        pay(frame, "insufficient_funds")
        expect(frame.locator(".notice")).to_contain_text("nicht genug Geld")
        frame.get_by_role("link", name="Zahlung abbrechen").click()
        frame.get_by_role("button", name="Ja, abbrechen").click()
        expect(frame.locator("h1")).to_have_text("Die Zahlung wurde abgebrochen")
        browser_page.wait_for_function("results.length === 1")
        assert browser_page.evaluate("results[0].status") == "cancelled"


def test_nobody_else_may_frame_it(browser_page, site, new_checkout):
    with shop_page(site, new_checkout(), port=0) as url:
        assert not url.startswith(SHOP_ORIGIN + "/")
        browser_page.goto(url)
        browser_page.wait_for_function("document.querySelector('iframe') !== null")
        frame = browser_page.frames[-1]
        frame.wait_for_load_state()
        assert frame.locator("form").count() == 0


def test_messages_from_other_windows_are_not_believed(browser_page, site, new_checkout):
    with shop_page(site, new_checkout()) as url:
        browser_page.goto(url)
        browser_page.frame_locator("iframe").locator("form.pay").wait_for()
        height = browser_page.evaluate("document.querySelector('iframe').style.height")
        browser_page.evaluate(
            "postMessage({zahlwerk: 1, height: 9, result: {status: 'paid'}}, '*');"
            "new Promise((done) => setTimeout(done, 0))"
        )
        assert browser_page.evaluate("results") == []
        assert browser_page.evaluate("document.querySelector('iframe').style.height") == height


def test_paypal_takes_the_whole_window_and_comes_back_to_it(
    app,
    browser_page,
    site,
    tenant,
    new_checkout,
    tmp_path,
):
    with paypal.serving(tmp_path) as paypal_url:
        settings = dict(paypal.contract_with(paypal_url).settings)
        with app.app_context(), atomic(ALL) as connection:
            add_contract(
                connection,
                merchant_id=tenant.merchant_id,
                live=False,
                provider="paypal",
                label="PayPal",
                settings=settings,
                actor="test",
            )
        opened = new_checkout(return_url=f"{SHOP_ORIGIN}/thanks")
        with shop_page(site, opened) as url:
            browser_page.goto(url)
            frame = browser_page.frame_locator("iframe")
            frame.get_by_role("link", name="PayPal").click()
            frame.get_by_role("button", name="Zahlungspflichtig bestellen").click()
            expect(frame.locator("h1")).to_have_text("Bei PayPal bestätigen")
            frame.get_by_role("link", name="Weiter zur Bestätigung").click()
            browser_page.wait_for_url("**/paypal/checkoutnow?**")
            browser_page.locator("button.primary").click()
            expect(browser_page.locator("h1")).to_have_text(THANKS)
            assert browser_page.url.startswith(site.url)
            assert "embed" not in browser_page.url
            way_out = browser_page.get_by_role("link", name="Zurück zu").get_attribute("href")
            assert way_out and way_out.startswith(f"{SHOP_ORIGIN}/thanks?")


def test_the_script_for_shops_is_tiny_and_may_be_included_anywhere(client):
    answer = client.get("/embed.js")
    assert answer.mimetype == "text/javascript"
    assert len(answer.data) < 2_000
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in answer.headers
