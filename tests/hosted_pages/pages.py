"""For tests in a browser: what a payer does on our page, and a shop's page on another site with our page in a frame."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.acquirers.cards import CARD_BY_NAME
from tests import live
from tests.hosted_pages.conftest import SHOP_PORT

THANKS = "Vielen Dank für Ihre Zahlung"


def fill(page: Any, name: str) -> None:
    """Types a published test card into the form of a page or a frame."""
    card = CARD_BY_NAME[name]
    page.locator("#f-number").fill(card.number)
    page.locator("#f-expiry").fill("12/34")
    page.locator("#f-code").fill(card.security_code)
    page.locator("#f-holder").fill("Erika Mustermann")


def pay(page: Any, name: str) -> None:
    fill(page, name)
    page.locator("form.pay button").click()


@contextmanager
def shop_page(site: live.Site, opened: Any, port: int = SHOP_PORT) -> Iterator[str]:
    """Yields the address of the shop's page. `window.results` holds every result told, oldest first."""
    embed_url = site.checkout(opened.checkout["id"], embed=True)
    html = f"""<!doctype html><html lang="de"><meta charset="utf-8"><title>Shop</title><h1>Shop</h1>
        <div data-zahlwerk-checkout="{embed_url}"></div>
        <script>
        window.results = [];
        addEventListener("zahlwerk:result", (event) => results.push(event.detail));
        </script>
        <script src="{site.url}/embed.js" defer></script></html>"""
    with live.pages({"/": html}, port) as url:
        yield f"{url}/"
