"""`python -m tools.shots.hosted [--all FOLDER]`: pictures of the hosted checkout.

Without arguments those of the README, small, into docs/pictures/. With --all every page and state in two
shop looks, two languages and two sizes, to look at.
"""

import argparse
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tools.shots.stage import SHOP_PORT, Stage, standing  # isort: skip  # prepares the environment

from playwright.sync_api import Browser, Page, sync_playwright

from app.core.clock import now
from app.payments.checkout import CHECKOUTS
from app.payments.queries import AUTHORISATIONS, OPERATIONS
from sandbox.acquirers.cards import CARD_BY_NAME
from tests import live
from tests.browser import ARGUMENTS, CHROMIUM, PHONE, new_context

ROOT = Path(__file__).resolve().parents[2]
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
Scene = Callable[[Stage, Page, str, str], None]


def form(stage: Stage, page: Page, shop: str, language: str) -> None:
    page.goto(stage.url(stage.open(shop, language)))


def step(stage: Stage, page: Page, shop: str, language: str) -> None:
    """The payer is asked who they are, for a sum above 5,000 EUR."""
    stage.ask_above(500_000, shop)
    opened = stage.open(shop, language, times=100)
    page.goto(stage.url(opened))
    page.wait_for_url("**/step/details*")
    page.fill("#f-street", "Heidestraße 17")
    page.click("form.pay button")


def filled(stage: Stage, page: Page, shop: str, language: str) -> None:
    form(stage, page, shop, language)
    fill_card(page, "visa")


def american(stage: Stage, page: Page, shop: str, language: str) -> None:
    page.goto(stage.url(stage.open(shop, language, places_order=False)))
    fill_card(page, "amex")


def wrong(stage: Stage, page: Page, shop: str, language: str) -> None:
    form(stage, page, shop, language)
    page.fill("#f-number", "4242 4242 4242 4243")
    page.fill("#f-expiry", "01/20")
    page.click("form.pay button")


def wrong_without_scripts(stage: Stage, page: Page, shop: str, language: str) -> None:
    form(stage, page, shop, language)
    page.evaluate("document.querySelector('form.pay').submit()")
    page.wait_for_selector("[aria-invalid]")


def paypal(stage: Stage, page: Page, shop: str, language: str) -> None:
    page.goto(stage.url(stage.open(shop, language)) + "?method=paypal")


def declined(stage: Stage, page: Page, shop: str, language: str) -> None:
    opened = stage.open(shop, language)
    stage.paid(opened, "insufficient_funds")
    page.goto(stage.url(opened))


def declined_field(stage: Stage, page: Page, shop: str, language: str) -> None:
    opened = stage.open(shop, language)
    stage.paid(opened, "invalid_security_code")
    page.goto(stage.url(opened))


def confirm_open(stage: Stage, page: Page, shop: str, language: str) -> None:
    opened = stage.open(shop, language)
    stage.paid(opened, "challenge")
    page.goto(stage.url(opened))


def hand_over(stage: Stage, page: Page, shop: str, language: str) -> None:
    """As in a frame, for PayPal: elsewhere this page sends on at once."""
    opened = stage.open(shop, language)
    stage.paid(opened, "challenge")
    action = {"url": "https://www.paypal.com/checkoutnow", "kind": "redirect", "method": "GET", "framable": False}
    stage.change(OPERATIONS, OPERATIONS.c.payment_id == opened.payment["id"], action=action)
    stage.change(AUTHORISATIONS, AUTHORISATIONS.c.payment_id == opened.payment["id"], method="paypal")
    page.goto(stage.url(opened, "/wait", embed=True))


def bank(stage: Stage, page: Page, shop: str, language: str) -> None:
    opened = stage.open(shop, language)
    stage.paid(opened, "challenge")
    page.goto(stage.url(opened, "/wait"))
    page.wait_for_url("**/acs/**")


def waiting(stage: Stage, page: Page, shop: str, language: str) -> None:
    opened = stage.open(shop, language)
    stage.paid(opened, "pending")
    stage.change(OPERATIONS, OPERATIONS.c.payment_id == opened.payment["id"], updated_at=now() + timedelta(minutes=5))
    page.goto(stage.url(opened, "/wait"))


def pending(stage: Stage, page: Page, shop: str, language: str) -> None:
    opened = stage.open(shop, language)
    stage.paid(opened, "pending")
    stage.change(OPERATIONS, OPERATIONS.c.payment_id == opened.payment["id"], updated_at=now() - timedelta(minutes=5))
    page.goto(stage.url(opened, "/result"))


def paid(stage: Stage, page: Page, shop: str, language: str) -> None:
    opened = stage.open(shop, language)
    stage.paid(opened, "visa", captured=shop == "cafe")
    page.goto(stage.url(opened, "/result"))


def expired(stage: Stage, page: Page, shop: str, language: str) -> None:
    opened = stage.open(shop, language)
    stage.change(CHECKOUTS, CHECKOUTS.c.id == opened.checkout["id"], expires_at=now())
    page.goto(stage.url(opened))


def cancel(stage: Stage, page: Page, shop: str, language: str) -> None:
    page.goto(stage.url(stage.open(shop, language), "/cancel"))


def cancelled(stage: Stage, page: Page, shop: str, language: str) -> None:
    cancel(stage, page, shop, language)
    page.click("form button")
    page.wait_for_url("**/result*")


def not_found(stage: Stage, page: Page, shop: str, language: str) -> None:
    page.goto(f"{stage.site.url}/pay/nothing?lang={language}")


def embedded(stage: Stage, page: Page, shop: str, language: str) -> None:
    opened = stage.open(shop, language)
    html = f"""<!doctype html><html lang="{language}"><meta charset="utf-8"><meta name="viewport"
        content="width=device-width"><title>Shop</title><body style="font:17px Georgia,serif;margin:24px auto;
        max-width:640px;padding:0 16px;background:#f3ece4;color:#2b1a10"><main><h1>{opened.shop["name"]}</h1>
        <div data-zahlwerk-checkout="{stage.url(opened, embed=True)}"></div></main>
        <script src="{stage.site.url}/embed.js"></script>"""
    with live.pages({"/": html}, SHOP_PORT) as url:
        width = (page.viewport_size or {"width": 1280})["width"]
        page.set_viewport_size({"width": width, "height": 1500})  # what is outside is not painted in a frame
        page.goto(url)
        page.frame_locator("iframe").locator("form.pay button").wait_for()
        page.wait_for_function("document.querySelector('iframe').style.height !== '680px'")


def fill_card(page: Any, name: str) -> None:
    """Types a published test card into the form of `page` (or of a frame)."""
    card = CARD_BY_NAME[name]
    page.locator("#f-number").fill(card.number)
    page.locator("#f-expiry").fill("12/34")
    page.locator("#f-code").fill(card.security_code)
    page.locator("#f-holder").fill("Erika Mustermann")


SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        *(form, step, filled, american, wrong, wrong_without_scripts, paypal, declined, declined_field, confirm_open),
        *(hand_over, bank, waiting, pending, paid, expired, cancel, cancelled, not_found, embedded),
    )
}
# Name of the picture -> scene, shop, language, device.
README = {
    "checkout": ("filled", "cafe", "de", DESKTOP),
    "checkout-phone": ("form", "velo", "de", PHONE),
    "checkout-declined": ("declined", "cafe", "en", PHONE),
    "checkout-paid": ("paid", "velo", "de", PHONE),
}


def take(
    browser: Browser, stage: Stage, scene: str, shop: str, language: str, device: dict[str, Any], path: Path
) -> None:
    context = new_context(browser, **device, locale={"de": "de-DE", "en": "en-GB"}[language])
    page = context.new_page()
    try:
        SCENES[scene](stage, page, shop, language)
        page.screenshot(path=path, full_page=True)
    finally:
        context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER")
    parser.add_argument("--only", nargs="*", choices=list(SCENES), default=list(SCENES))
    chosen = parser.parse_args()
    with standing() as stage, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        if chosen.all is None:
            target = ROOT / "docs" / "pictures"
            target.mkdir(parents=True, exist_ok=True)
            for name, (scene, shop, language, device) in README.items():
                take(browser, stage, scene, shop, language, device, target / f"{name}.png")
            return
        chosen.all.mkdir(parents=True, exist_ok=True)
        for scene in chosen.only:
            for shop, language in (("cafe", "de"), ("velo", "de"), ("cafe", "en")):
                for size, device in (("phone", PHONE), ("desktop", DESKTOP)):
                    path = chosen.all / f"{scene}-{shop}-{language}-{size}.png"
                    take(browser, stage, scene, shop, language, device, path)
                    print(path.name, flush=True)


if __name__ == "__main__":
    main()
