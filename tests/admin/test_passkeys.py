"""Second factors in a real browser: an authenticator app, a lost one, and passkeys on a virtual authenticator."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import live
from tests.admin.desk import PASSWORD, user
from tests.browser import accessibility_problems, browser, new_context
from tests.staff.people import code

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(app, tmp_path_factory) -> Iterator[live.Site]:
    """At http://localhost: passkeys know no network addresses."""
    with live.serving(tmp_path_factory.mktemp("site") / "web.log") as running:
        yield running


@pytest.fixture
def enter(app, browser, site) -> Iterator[Callable[..., Any]]:
    """enter(name): somebody new, logged in with a password; returns the browser's page."""
    contexts = []

    def come_in(name: str, *, there_already: bool = False, bypass_csp: bool = False) -> Any:
        if not there_already:
            with app.app_context():
                user("operator", email=f"{name}@example.com", name=name.title())
        context = new_context(browser, locale="en-GB", bypass_csp=bypass_csp)
        contexts.append(context)
        page = context.new_page()
        log_in(page, site, name)
        return page

    yield come_in
    for context in contexts:
        context.close()


def log_in(page: Any, site: live.Site, name: str) -> None:
    page.goto(f"{site.url}/admin/login")
    page.fill("#email", f"{name}@example.com")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(re.compile(r"/admin/($|login/second|account/safety)"))


def log_out(page: Any) -> None:
    page.click(".person summary")
    page.click("text=Log out")
    page.wait_for_url("**/admin/login")


def with_authenticator(page: Any) -> Any:
    """A device in software that has a fingerprint reader and always finds the right finger."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def test_an_app_is_set_up_used_and_lost(enter, site):
    page = enter("tina")
    page.goto(f"{site.url}/admin/account/safety/")
    page.get_by_role("link", name="Set up").click()
    assert page.locator(".qr").bounding_box()["width"] > 150
    secret = page.locator("code.key").inner_text().replace(" ", "")
    spent = code(secret)
    page.fill("#code", spent)
    page.click("button.main")
    page.wait_for_selector(".codes")
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    log_out(page)

    log_in(page, site, "tina")
    page.fill("#code", spent)
    page.click("button.main")
    assert "used already" in page.locator(".error").inner_text(), "the code of the set-up is spent"
    page.fill("#code", code(secret, 1))
    page.press("#code", "Enter")
    page.wait_for_url("**/admin/")
    log_out(page)

    log_in(page, site, "tina")
    page.click("text=Use a recovery code")
    page.fill("#recovery", codes[4])
    page.press("#recovery", "Enter")
    page.wait_for_url("**/admin/account/safety/")
    assert "9 codes are left." in page.locator("main").inner_text()
    page.locator("a", has_text="Remove").first.click()
    page.click("button.main")
    page.wait_for_url("**/admin/account/safety/")
    log_out(page)
    log_in(page, site, "tina")
    assert page.url.endswith("/admin/"), "without a factor the password is enough again"


def test_a_passkey_is_added_and_logs_in_alone_and_as_the_second_step(enter, site):
    page = enter("paul")
    session, device = with_authenticator(page)
    page.goto(f"{site.url}/admin/account/passkeys/add")
    page.fill("#name", "Laptop")
    page.click("button.main")
    page.wait_for_selector(".codes")
    assert len(session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]) == 1
    log_out(page)

    page.click("text=Log in with a passkey")
    page.wait_for_url("**/admin/")
    assert "Paul" in page.locator(".person").inner_text()
    log_out(page)

    log_in(page, site, "paul")
    assert page.url.endswith("/admin/login/second")
    page.click("text=Use a passkey")
    page.wait_for_url("**/admin/")
    page.goto(f"{site.url}/admin/account/safety/")
    page.locator("a", has_text="Remove").first.click()
    page.click("button.main")
    page.wait_for_url("**/admin/account/safety/")
    log_out(page)
    page.click("text=Log in with a passkey")
    page.wait_for_selector(".note.bad:visible")
    assert page.url.startswith(f"{site.url}/admin/login")


def test_a_passkey_answers_is_it_you(enter, site):
    page = enter("petra", bypass_csp=True)
    with_authenticator(page)
    page.goto(f"{site.url}/admin/account/passkeys/add")
    page.fill("#name", "Telefon")
    page.click("button.main")
    page.wait_for_selector(".codes")
    page.goto(f"{site.url}/admin/confirm?next=/admin/payments/")
    page.click("text=With a passkey")
    page.wait_for_url(f"{site.url}/admin/payments/")
    page.goto(f"{site.url}/admin/account/safety/")
    page.locator("a", has_text="Remove").first.click()
    page.wait_for_url("**/account/passkeys/*/remove")
    assert accessibility_problems(page) == []


def test_without_the_right_finger_nobody_gets_in(enter, site):
    page = enter("pia")
    session, device = with_authenticator(page)
    page.goto(f"{site.url}/admin/account/passkeys/add")
    page.fill("#name", "Laptop")
    page.click("button.main")
    page.wait_for_selector(".codes")
    log_out(page)
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.click("text=Log in with a passkey")
    page.wait_for_selector(".note.bad:visible")
    assert page.locator("#email").is_visible()


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_pages_on_the_way_in_are_accessible(app, browser, site, language):
    with app.app_context():
        user("operator", email=f"way-{language}@example.com", language=language)
    context = new_context(browser, locale="de-DE" if language == "de" else "en-GB")
    page = context.new_page()
    found = {}
    for path in ("forgotten", "reset/none"):
        page.goto(f"{site.url}/admin/{path}")
        found[path] = accessibility_problems(page)
    log_in(page, site, f"way-{language}")
    page.goto(f"{site.url}/admin/account/authenticator/")
    secret = page.locator("code.key").inner_text().replace(" ", "")
    page.fill("#code", code(secret))
    page.click("button.main")
    found["codes"] = accessibility_problems(page)
    page.goto(f"{site.url}/admin/account/safety/")
    found["safety"] = accessibility_problems(page)
    page.goto(f"{site.url}/admin/account/authenticator/codes")
    found["new codes"] = accessibility_problems(page)
    page.goto(f"{site.url}/admin/confirm")
    found["confirm"] = accessibility_problems(page)
    log_out_by_cookie(context)
    log_in(page, site, f"way-{language}")
    found["second"] = accessibility_problems(page)
    page.click(".ways a")
    found["recovery"] = accessibility_problems(page)
    assert {name: problems for name, problems in found.items() if problems} == {}
    context.close()


def log_out_by_cookie(context: Any) -> None:
    context.clear_cookies(name="zahlwerk_staff")
