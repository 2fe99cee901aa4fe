"""The main job: a payer pays in the shop's frame with 3-D Secure; staff capture and refund; the merchant is told."""

import json
import re
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from tests.browser import new_context
from tests.stories.stack import call, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]  # the first story starts the stack
SLUG = "cafe-morgenrot"


@pytest.fixture(scope="module")
def paid(stack, browser) -> str:
    """Orders at the demo shop and pays in the frame, third-party cookies blocked. Returns the order's reference."""
    context = new_context(browser, bypass_csp=False)
    page = context.new_page()
    page.goto(f"{stack.sandbox_url}/shop/{SLUG}/p/handfilter")
    page.get_by_role("button", name="In den Warenkorb").click()
    page.locator("input[name=capture][value=manual]").check()
    page.get_by_role("button", name="Weiter zur Zahlung").click()
    page.wait_for_selector("[data-zahlwerk-checkout] iframe")
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
    """Proves that the frame's cookies would not come back, so that paying without them proves something."""
    shop, product = urlsplit(stack.sandbox_url).hostname, urlsplit(stack.url).hostname
    assert (shop, product) == ("127.0.0.1", "localhost")
    context = new_context(browser, bypass_csp=False)
    page = context.new_page()
    page.goto(f"{stack.sandbox_url}/shop")
    came_back = page.evaluate(
        """async (url) => {
            const frame = document.createElement('iframe');
            frame.src = url;
            document.body.append(frame);
            await new Promise(done => frame.onload = done);
            return document.cookie;
        }""",
        f"{stack.url}/admin/login",
    )
    sent: list[str] = []
    page.on(
        "request", lambda request: sent.append(request.headers.get("cookie", "")) if "healthz" in request.url else None
    )
    context.add_cookies([{"name": "control", "value": "1", "url": stack.url, "sameSite": "Lax"}])
    page.evaluate(
        "url => { const f = document.createElement('iframe'); f.src = url; document.body.append(f); }",
        f"{stack.url}/healthz",
    )
    wait_until(lambda: sent, 10, "the frame was asked for")
    assert came_back == ""
    assert sent == [""], "a Lax cookie of the product came back in a frame of the shop"
    context.close()


def test_staff_capture_a_part_then_the_rest_then_refund_a_part(stack, paid, office):
    office.keyboard.press("/")
    office.keyboard.type(paid)
    office.keyboard.press("Enter")
    office.wait_for_url(re.compile(r"/payments/pay_[0-9a-z]+$"))  # one exact match is opened at once
    detail = office.url.split("?")[0]
    for verb, amount, status in (
        ("capture", "10,00", "partially_captured"),
        ("capture", None, "captured"),
        ("refund", "7,35", "partially_refunded"),
    ):
        office.goto(f"{detail}/{verb}")
        if amount:
            office.locator("input[name=amount]").fill(amount)
            # the sentence above the button says what will happen; the button does what the sentence says
            office.locator("#effect", has_text=amount).wait_for()
        office.locator("input[name=reason]").fill("Teillieferung" if verb == "capture" else "Artikel beschädigt")
        office.locator("main form button.main").click()
        office.wait_for_url(re.compile(r"/payments/pay_[0-9a-z]+(\?.*)?$"))
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


def test_every_step_was_told_by_mail(stack, paid):
    def mails() -> list[dict]:
        found = json.loads(call("GET", f"{stack.sandbox_url}/mail/messages.json", None, {})[1])
        return [mail for mail in found if paid in mail["subject"] or paid in mail["text"]]

    wait_until(lambda: len(mails()) >= 3, 30, "mails about the payment")
    assert any("bestellungen@cafe-morgenrot.example" in mail["to"] for mail in mails())


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
