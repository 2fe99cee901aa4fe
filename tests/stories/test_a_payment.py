"""The main job: a payer pays in the shop's frame with 3-D Secure; staff capture and refund; the merchant is told."""

import json
import re
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from tests.browser import cookie_comes_back, new_context
from tests.stories.stack import call, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]  # the first story starts the stack
SLUG = "cafe-morgenrot"
KEPT, OPEN = "Eingezogen und behalten", "Reserviert, noch offen"


@pytest.fixture(scope="module")
def paid(stack, browser) -> str:
    """Orders at the demo shop and pays in the frame, third-party cookies blocked. Returns the order's reference."""
    context = new_context(browser, bypass_csp=False)
    page = _at_the_checkout(stack, context)
    reference = page.url.rpartition("/")[2]
    frame = page.frame_locator("[data-zahlwerk-checkout] iframe")
    frame.locator("input[autocomplete=cc-number]").fill("4000 0000 0000 3220")
    frame.locator("input[autocomplete=cc-exp]").fill("12/34")
    frame.locator("input[autocomplete=cc-csc]").fill("123")
    frame.locator("input[autocomplete=cc-name]").fill("Erika Mustermann")
    frame.get_by_role("button", name="Zahlungspflichtig bestellen").click()
    frame.locator("button[value=approve]").click()
    frame.get_by_role("heading", name="Vielen Dank für Ihre Zahlung").wait_for()
    page.get_by_text("Danke, Ihre Zahlung ist angekommen.").wait_for()
    assert [cookie for cookie in context.cookies() if "localhost" in cookie["domain"]] == []
    context.close()
    return reference


def _at_the_checkout(stack, context):
    """A page of the demo shop with something ordered and the checkout in its frame, loaded."""
    page = context.new_page()
    page.goto(f"{stack.sandbox_url}/shop/{SLUG}/p/handfilter")
    page.get_by_role("button", name="In den Warenkorb").click()
    page.locator("input[name=capture][value=manual]").check()
    page.get_by_role("button", name="Weiter zur Zahlung").click()
    page.frame_locator("[data-zahlwerk-checkout] iframe").locator("form.pay").wait_for()
    return page


@pytest.fixture(scope="module")
def office(stack, browser):
    """The back office, signed in as an operator, in German."""
    context = new_context(browser, viewport={"width": 1440, "height": 900}, bypass_csp=False)
    page = context.new_page()
    user = next(one for one in stack.demo["admin"]["users"] if one["role"] == "operator")
    page.goto(stack.demo["admin"]["url"])
    page.locator("input[name=email]").fill(user["email"])
    page.locator("input[type=password]").fill(user["password"])
    page.keyboard.press("Enter")
    page.wait_for_selector("nav")
    yield page
    context.close()


def test_the_two_sites_are_two_sites(stack, browser):
    """Proves that cookies of the frame would not come back, so that paying without them proves something."""
    shop, product = urlsplit(stack.sandbox_url).hostname, urlsplit(stack.url).hostname
    assert (shop, product) == ("127.0.0.1", "localhost")
    assert not cookie_comes_back(browser, outside=shop, inside=product)
    assert cookie_comes_back(browser, outside=product, inside=product), "the control: within one site it does"


def test_the_checkout_in_the_frame_could_not_keep_a_cookie(stack, browser):
    """The same on the checkout itself; opened by itself it could, which proves that the look would have seen one."""
    context = new_context(browser, bypass_csp=False)
    page = _at_the_checkout(stack, context)
    frame = page.frames[-1]
    assert frame.url.startswith(f"{stack.url}/pay/")
    assert _cookie_sent_after_setting_one(frame, page) == ""
    page.goto(frame.url)
    assert _cookie_sent_after_setting_one(page.main_frame, page) == "control=1"
    context.close()


def _cookie_sent_after_setting_one(frame, page) -> str:
    """Sets a cookie in the frame and loads it anew. Returns the cookies that really went with that request."""
    frame.evaluate("document.cookie = 'control=1; SameSite=None; Secure; Path=/'")
    with page.expect_request(lambda request: request.frame == frame and request.is_navigation_request()) as asked:
        frame.evaluate("location.reload()")
    frame.wait_for_load_state()
    return asked.value.all_headers().get("cookie", "")  # `headers` leaves cookies out


def test_staff_capture_a_part_then_the_rest_then_refund_a_part(stack, paid, office):
    office.keyboard.press("/")
    office.keyboard.type(paid)
    office.keyboard.press("Enter")
    office.wait_for_url(re.compile(r"/payments/pay_[0-9a-z]+$"))  # one exact match is opened at once
    detail = office.url.split("?")[0]
    for verb, amount, status, badge, shares in (
        ("capture", "10,00", "partially_captured", "Teils eingezogen", [f"{KEPT}: 10,00 €", f"{OPEN}: 14,90 €"]),
        ("capture", None, "captured", "Eingezogen", [f"{KEPT}: 24,90 €"]),
        ("refund", "7,35", "partially_refunded", "Teils erstattet", [f"{KEPT}: 17,55 €", "Erstattet: 7,35 €"]),
    ):
        office.goto(f"{detail}/{verb}")
        if amount:
            office.locator("input[name=amount]").fill(amount)
            # the sentence above the button says what will happen; the button does what the sentence says
            office.locator("#effect", has_text=amount).wait_for()
        office.locator("input[name=reason]").fill("Teillieferung" if verb == "capture" else "Artikel beschädigt")
        office.locator("main form button.main").click()
        office.wait_for_url(re.compile(r"/payments/pay_[0-9a-z]+(\?.*)?$"))
        assert office.locator(".titled .badge").all_inner_texts() == [badge]
        assert _shares(office) == shares
        assert _payment(stack, paid)["status"] == status
    payment = _payment(stack, paid)
    assert (payment["authorised"], payment["captured"], payment["refunded"]) == (2_490, 2_490, 735)


def test_every_step_was_told_by_signed_webhook(stack, paid):
    wanted = {"payment.created", "authorisation.action_required", "authorisation.succeeded", "checkout.completed"}
    wanted |= {"capture.succeeded", "refund.succeeded"}
    payment_id = _payment(stack, paid)["public"]

    def told() -> list[dict]:
        url = f"{stack.sandbox_url}/webhooks/messages.json?name={SLUG}&limit=1000&contains={payment_id}"
        return json.loads(call("GET", url, None, {})[1])

    wait_until(lambda: wanted <= {message["type"] for message in told()}, 30, "every step is told")
    messages = told()
    assert all(message["verified"] for message in messages)
    assert [message["type"] for message in messages].count("capture.succeeded") == 2
    steps = [message["json"]["payment_step"] for message in reversed(messages) if message["json"].get("payment_step")]
    assert steps == sorted(steps), "the steps of one payment arrive in order"


def _shares(office) -> list[str]:
    """What became of the payment's amount, as its page says it."""
    said = [one.inner_text().split("\n") for one in office.locator("dl.sums > div").all()]
    return [f"{name.strip()}: {amount.strip()}".replace("\N{NO-BREAK SPACE}", " ") for name, amount in said]


def test_every_step_was_told_by_mail(stack, paid):
    """To the shop: one mail for the order, one for each capture, one for the refund."""

    def subjects() -> list[str]:
        found = json.loads(call("GET", f"{stack.sandbox_url}/mail/messages.json", None, {})[1])
        told = [mail["subject"] for mail in found if "bestellungen@cafe-morgenrot.example" in mail["to"]]
        return sorted(one.replace("\N{NO-BREAK SPACE}", " ") for one in told if paid in one)

    wanted = [
        f"[Test] 10,00 € eingezogen – {paid}",
        f"[Test] 14,90 € eingezogen – {paid}",
        f"[Test] 7,35 € erstattet – {paid}",
        f"[Test] Neue Zahlung über 24,90 € – {paid}",
    ]
    wait_until(lambda: len(subjects()) >= len(wanted), 30, "mails about the payment")
    assert subjects() == wanted


def _payment(stack, reference: str) -> dict:
    from app.core.ids import public_id

    with stack.owner().connect() as connection:
        row = (
            connection.execute(
                text("SELECT * FROM payments WHERE merchant_reference = :reference"), {"reference": reference}
            )
            .mappings()
            .one()
        )
    return {**row, "public": public_id("pay", row["id"])}
