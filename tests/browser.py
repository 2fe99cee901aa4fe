"""A real browser for tests: Debian's Chromium through Playwright, and axe-core for accessibility.

Mark such tests with `@pytest.mark.browser`. `ZAHLWERK_NO_BROWSER=<reason>` skips them and says why.
"""

from __future__ import annotations

import http.server
import os
import shutil
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests import live

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = os.environ.get("ZAHLWERK_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-proxy-server"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
)
PATIENCE_MS = 15_000


def missing() -> str | None:
    """Why there is no browser; None if there is one."""
    told = os.environ.get("ZAHLWERK_NO_BROWSER")
    if told:
        return f"browser tests are switched off: {told}"
    return None if os.path.exists(CHROMIUM) else f"{CHROMIUM} is not there: apt-get install chromium"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, one per module: Playwright keeps an event loop running in this thread while it is open."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright  # only where a browser is wanted: conftest imports this file

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A page in a fresh context: German, 1280 wide. A test that wants another kind calls new_context()."""
    context = new_context(browser)
    yield context.new_page()
    context.close()


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """bypass_csp only lets axe-core in; whether the policy holds is tested without it (`bypass_csp=False`)."""
    defaults: dict[str, Any] = {
        "locale": "de-DE",
        "viewport": {"width": 1280, "height": 900},
        "bypass_csp": True,
        "reduced_motion": "reduce",
    }
    context = browser.new_context(**{**defaults, **options})
    context.set_default_timeout(PATIENCE_MS)
    return context


class _SetsACookie(http.server.BaseHTTPRequestHandler):
    """/ sets a cookie that wants to be sent between sites; /told says which cookies came back."""

    def do_GET(self) -> None:
        body = b"<title>x</title><a href='/told'>next</a>"
        self.send_response(200)
        if self.path == "/told":
            body = f"<title>x</title><p>{self.headers.get('Cookie', 'none')}</p>".encode()
        else:
            self.send_header("Set-Cookie", "control=1; SameSite=None; Secure; Path=/")
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def cookie_comes_back(browser: Browser, *, outside: str, inside: str) -> bool:
    """Whether a cookie set in a frame of host `inside`, in a page of host `outside`, goes with its next request.

    Told by the server that set it. Hosts: names of this machine. A context of Chromium blocks third-party cookies.
    """
    with live.listening(_SetsACookie) as port:
        with live.pages({"/": f"<title>x</title><iframe src='http://{inside}:{port}/'></iframe>"}) as page_url:
            context = new_context(browser)
            page = context.new_page()
            page.goto(page_url.replace("127.0.0.1", outside))
            frame = page.frame_locator("iframe")
            frame.get_by_role("link").click()
            told = frame.locator("p").inner_text()
            context.close()
    assert told in ("control=1", "none"), told
    return told == "control=1"


PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    "resultTypes": ["violations"],  # it need not describe what it found in order
}


def accessibility_problems(page: Any, *, contrast: bool = True) -> list[str]:
    """What axe-core finds wrong after WCAG 2.1 AA and its best practices: rule, element. Empty: nothing.

    `contrast`: colours take most of the time; a second look at the same page can leave them out.
    """
    if not page.evaluate("typeof axe === 'object'"):  # half a megabyte, once per page
        page.evaluate(_axe_script())
    found = page.evaluate("options => axe.run(options)", {**_RULES, "rules": {"color-contrast": {"enabled": contrast}}})
    return [
        f"{violation['id']}: {node['html'][:160]}" for violation in found["violations"] for node in violation["nodes"]
    ]


@cache
def _axe_script() -> str:
    from axe_playwright_python.sync_playwright import Axe  # only where a browser is wanted

    return Axe().axe_script
