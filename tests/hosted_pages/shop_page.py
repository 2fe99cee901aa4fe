"""A shop's page on another site that shows a checkout in a frame and writes down what it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests import live
from tests.hosted_pages.conftest import SHOP_PORT


@contextmanager
def shop_page(site: live.Site, opened: Any, port: int = SHOP_PORT) -> Iterator[str]:
    """Yields the page's address. `window.results` holds every result told, oldest first."""
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
