"""`python -m tools.shots.office [--all FOLDER]`: pictures of the back office of the product that `make run` started.

Without arguments those of the README, into docs/pictures/. With --all every screen, the first thing of every list
and every form, in both languages and two sizes, to look at.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import ARGUMENTS, CHROMIUM, PHONE

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "var" / "demo.json"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
LANGUAGES = ("de", "en")
# Name of the picture -> where it is found: a path, and the link in its list that is followed.
README = {
    "admin-payments-de": ("payments/", None),
    "admin-payment-de": ("payments/?status=partially_refunded", "table tbody a"),
}


def sign_in(browser: Browser, device: dict[str, Any], language: str) -> tuple[Page, str]:
    """A page in a fresh context, logged in as admin. Returns it with the address of the back office."""
    admin = json.loads(DEMO.read_text())["admin"]
    user = next(user for user in admin["users"] if user["role"] == "admin")
    page = browser.new_context(**device, locale={"de": "de-DE", "en": "en-GB"}[language]).new_page()
    page.goto(admin["url"])
    page.fill("input[name=email]", user["email"])
    page.fill("input[name=password]", user["password"])
    page.click("form.form button.main")
    page.wait_for_url(lambda address: "login" not in address)
    return page, admin["url"].rstrip("/") + "/"


def speak(page: Page, language: str) -> None:
    """Changes the language of the account, as its menu does."""
    if page.get_attribute("html", "lang") == language:
        return
    page.eval_on_selector("form.language button", "button => button.form.requestSubmit(button)")
    page.wait_for_selector(f"html[lang={language}]")


def places(page: Page, home: str) -> Iterator[tuple[str, str]]:
    """(name, address) of every screen in the menu, of the first thing in its list, and of every page they lead to."""
    page.goto(home)
    menu = page.eval_on_selector_all("nav a[href]", "links => links.map(link => link.href)")
    seen: set[str] = set()
    for address in menu:
        yield from _from(page, address, seen)


def _from(page: Page, address: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    kind = _kind(address)
    if kind in seen or "logout" in address:
        return
    seen.add(kind)
    yield kind.strip("/").replace("/", "-") or "start", address
    page.goto(address)
    links = page.eval_on_selector_all("main a[href]", "links => links.map(link => link.href)")
    for link in links:
        if urlsplit(link).path.startswith(urlsplit(address).path) and "?" not in link and "#" not in link:
            yield from _from(page, link, seen)


def _kind(address: str) -> str:
    """The path with ids blanked: one picture per kind of page."""
    parts = urlsplit(address).path.removeprefix("/admin").split("/")
    return "/".join("one" if "_" in part and any(sign.isdigit() for sign in part) else part for part in parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER")
    chosen = parser.parse_args()
    if not DEMO.exists():
        raise SystemExit(f"{DEMO} is not there: start the product with `make run` first.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        if chosen.all is None:
            page, home = sign_in(browser, DESKTOP, "de")
            speak(page, "de")
            for name, (path, link) in README.items():
                page.goto(home + path)
                if link:
                    page.locator(link).first.click()
                    page.wait_for_load_state()
                page.screenshot(path=ROOT / "docs" / "pictures" / f"{name}.png")
            return
        chosen.all.mkdir(parents=True, exist_ok=True)
        page, home = sign_in(browser, DESKTOP, "de")
        found = list(places(page, home))
        for size, device in (("desktop", DESKTOP), ("phone", PHONE)):
            for language in LANGUAGES:
                page, _ = sign_in(browser, device, language)
                speak(page, language)
                for name, address in found:
                    page.goto(address)
                    page.screenshot(path=chosen.all / f"{name}-{language}-{size}.png", full_page=True)
                page.context.close()


if __name__ == "__main__":
    main()
