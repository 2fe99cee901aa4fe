"""The sandbox's pages in a real browser: paying in the frame, notifications as they arrive, accessibility."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from tests.sandbox.test_shop import DEMO
from tests.sandbox.test_web import send_mail, started
from tests.sandbox.till import till

pytestmark = pytest.mark.browser
CHROMIUM = {
    "executable_path": "/usr/bin/chromium",
    "args": ["--no-sandbox", "--disable-gpu", "--disable-quic"],
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    home: Path = tmp_path_factory.mktemp("sandbox")
    (home / "demo.json").write_text(json.dumps(DEMO))
    with pytest.MonkeyPatch.context() as environment, till() as (product, _):
        environment.setenv("PUBLIC_URL", product)
        environment.setenv("ZAHLWERK_DEMO_FILE", str(home / "demo.json"))
        with started(home) as running:
            yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    context = browser.new_context(locale="de-DE", viewport={"width": 1200, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert problems == []


def order(page: Page, url: str) -> str:
    """Puts something in the basket and goes to the payment step. Returns the order number."""
    page.goto(f"{url}/shop/cafe-morgenrot/p/handfilter")
    page.get_by_role("button", name="In den Warenkorb").click()
    page.get_by_role("button", name="Weiter zur Zahlung").click()
    expect(page.get_by_role("heading", name="Bezahlen")).to_be_visible()
    return page.url.rpartition("/")[2]


def tell(url: str, kind: str, **data: Any) -> None:
    body = json.dumps({"type": kind, "data": data}).encode()
    urllib.request.urlopen(f"{url}/webhooks/in/cafe-morgenrot", body, timeout=5).close()


def test_a_customer_pays_in_the_frame_and_the_shop_hears_of_it(page: Page, sandbox: tuple[str, int]) -> None:
    url, _ = sandbox
    number = order(page, url)
    frame = page.frame_locator("[data-zahlwerk-checkout] iframe")
    frame.get_by_role("button", name="Zahlungspflichtig bestellen").click()
    expect(page.get_by_text("Danke, Ihre Zahlung ist angekommen.")).to_be_visible()
    assert page.locator(".outcome").get_attribute("data-status") == "paid"

    expect(page.get_by_text("Noch nichts. Bezahlen Sie")).to_be_visible()
    tell(url, "payment.captured", merchant_reference=number)
    item = page.locator(".news li[data-type='payment.captured']")
    expect(item).to_contain_text("Signatur falsch")
    item.get_by_text("Inhalt").click()
    expect(item.locator("pre")).to_contain_text(number)

    page.get_by_role("link", name="Zur Bestellbestätigung").click()
    expect(page.get_by_role("heading", name="Danke für Ihre Bestellung")).to_be_visible()


def test_a_payment_that_fails_is_said_without_blame(page: Page, sandbox: tuple[str, int]) -> None:
    order(page, sandbox[0])
    page.frame_locator("[data-zahlwerk-checkout] iframe").get_by_role("button", name="Ablehnen").click()
    expect(page.get_by_text("Es wurde nichts abgebucht.")).to_be_visible()
    expect(page.get_by_role("link", name="Noch einmal versuchen")).to_be_visible()
    expect(page.get_by_text("Danke, Ihre Zahlung")).to_be_hidden()


def test_mails_and_webhooks_appear_by_themselves(page: Page, sandbox: tuple[str, int]) -> None:
    url, smtp = sandbox
    page.goto(f"{url}/mail/")
    send_mail(smtp, "Kommt von selbst")
    expect(page.get_by_role("link", name="Kommt von selbst")).to_be_visible(timeout=20_000)
    page.goto(f"{url}/webhooks/")
    tell(url, "payment.refunded", id="pay_x")
    expect(page.get_by_text("payment.refunded").first).to_be_visible(timeout=20_000)


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_page_has_an_accessibility_violation(page: Page, sandbox: tuple[str, int], language: str) -> None:
    url, smtp = sandbox
    send_mail(smtp, "Barrierefrei")
    tell(url, "payment.captured", id="pay_y")
    number = order(page, url)
    found = []
    for path in (
        "/",
        "/shop/",
        "/shop/cafe-morgenrot/",
        "/shop/nordlicht-outdoor/",
        "/shop/nordlicht-outdoor/p/lampe-aurora",
        "/shop/nordlicht-outdoor/agb",
        "/shop/cafe-morgenrot/basket",
        f"/shop/cafe-morgenrot/order/{number}",
        "/mail/",
        "/webhooks/",
        "/paypal/",
        f"/shop/cafe-morgenrot/thanks?order={number}",
    ):
        page.goto(f"{url}{path}{'&' if '?' in path else '?'}lang={language}")
        violations = Axe().run(page, options={"iframes": False}).response["violations"]
        found += [(path, one["id"], one["nodes"][0]["html"][:120]) for one in violations]
    assert found == []


@pytest.mark.parametrize("path", ["/", "/shop/", "/shop/cafe-morgenrot/", "/shop/nordlicht-outdoor/", "/mail/"])
def test_no_page_is_wider_than_a_phone(browser: Any, sandbox: tuple[str, int], path: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(sandbox[0] + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()
