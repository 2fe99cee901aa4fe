"""What people type into the product and what it shows them once, in a real browser: for the story of secrets.

A payer mistypes a card on the hosted page and then pays with 3-D Secure; a member of staff mistypes the password, logs
in, sets up an authenticator app, refunds the payment and removes the app, because other stories log in there too.
"""

import json
import re

from playwright.sync_api import Browser, Page

from sandbox.acquirers.cards import CARD_BY_NAME, PublishedCard
from tests.browser import new_context
from tests.staff.people import code
from tests.stories.stack import Stack

ROLE = "operator"
WRONG_PASSWORD = "buchung-vor-mittags-7113"  # nearly the right one, as mistyped passwords are


def typed_by_people(stack: Stack, browser: Browser, shop: dict[str, str], security_code: str) -> dict[str, str]:
    """Name -> what must be nowhere now. `security_code`: four digits, typed here and nowhere else."""
    token, payment_id = _pay(stack, browser, shop, security_code)
    context = new_context(browser, bypass_csp=False)
    page = context.new_page()
    _log_in(stack, page)
    secret, codes = _set_up_an_app(stack, page)
    _refund(stack, page, payment_id)
    cookie = next(one["value"] for one in context.cookies() if one["name"] == "zahlwerk_staff")
    _remove_the_app(stack, page)
    context.close()
    return {
        "signature in a checkout's link": token.rpartition(".")[2],
        "mistyped password": WRONG_PASSWORD,
        "secret of an authenticator app": secret,
        **{f"recovery code {number}": one for number, one in enumerate(codes, 1)},
        **{f"recovery code {number}, undivided": one.replace("-", "") for number, one in enumerate(codes, 1)},
        "cookie of a session": cookie,
        "signature of that cookie": cookie.rpartition(".")[2],
    }


def _pay(stack: Stack, browser: Browser, shop: dict[str, str], security_code: str) -> tuple[str, str]:
    """Returns the token of the checkout's link, and the payment's id."""
    order = {"amount": 2_750, "currency": "EUR", "merchant_reference": "typed", "capture": "automatic"}
    order |= {"shop": shop["shop_id"]}
    status, answer = stack.post("/v1/checkouts", order, Authorization=f"Bearer {shop['api_key']}")
    assert status == 201, answer
    opened, card = json.loads(answer), CARD_BY_NAME["challenge_amex"]
    _mistype(browser, opened["url"], card, security_code)
    context = new_context(browser, bypass_csp=False)
    page = context.new_page()
    page.goto(opened["url"])
    _type_a_card(page, card.printed, security_code)
    page.locator("button[value=approve]").click()
    page.get_by_role("heading", name="Vielen Dank für Ihre Zahlung").wait_for()
    context.close()
    return opened["url"].rpartition("/pay/")[2], opened["payment"]


def _mistype(browser: Browser, url: str, card: PublishedCard, security_code: str) -> None:
    """A wrong check digit; without scripts, which would not even send it."""
    context = new_context(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    _type_a_card(page, card.printed[:-1] + str((int(card.number[-1]) + 1) % 10), security_code)
    page.locator("#f-number[aria-invalid=true]").wait_for()
    context.close()


def _type_a_card(page: Page, number: str, security_code: str) -> None:
    page.locator("#f-number").fill(number)
    page.locator("#f-expiry").fill("12/34")
    page.locator("#f-code").fill(security_code)
    page.locator("#f-holder").fill("Erika Mustermann")
    page.locator("form.pay button").click()


def _log_in(stack: Stack, page: Page) -> None:
    user = next(one for one in stack.demo["admin"]["users"] if one["role"] == ROLE)
    page.goto(stack.demo["admin"]["url"])
    for password in (WRONG_PASSWORD, user["password"]):
        page.locator("input[name=email]").fill(user["email"])
        page.locator("input[type=password]").fill(password)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    page.wait_for_selector("nav")


def _set_up_an_app(stack: Stack, page: Page) -> tuple[str, list[str]]:
    """Returns its secret in base32, and the recovery codes."""
    page.goto(f"{stack.url}/admin/account/authenticator/")
    secret = page.locator("code.key").inner_text().replace(" ", "")
    page.locator("input[name=code]").fill(code(secret))
    page.locator("main form button.main").click()
    page.locator("ul.codes").wait_for()
    return secret, page.locator("ul.codes code").all_inner_texts()


def _refund(stack: Stack, page: Page, payment_id: str) -> None:
    page.goto(f"{stack.url}/admin/payments/{payment_id}/refund")
    page.locator("input[name=amount]").fill("5,00")
    page.locator("#effect", has_text="5,00").wait_for()
    page.locator("input[name=reason]").fill("Artikel beschädigt")
    page.locator("main form button.main").click()
    page.wait_for_url(re.compile(r"/payments/pay_[0-9a-z]+(\?.*)?$"))


def _remove_the_app(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/admin/account/authenticator/remove")
    page.locator("main form button").first.click()
    page.wait_for_url(re.compile("/admin/account/safety/"))
