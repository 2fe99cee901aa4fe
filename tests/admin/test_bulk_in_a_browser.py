"""In a real browser: two hundred payments captured at once, of which three fail for real reasons; the keys of lists."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, update

from app.batches.work import work
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.ids import public_id
from app.payments.cancel import cancel
from app.payments.queries import AUTHORISATIONS, PAYMENTS
from tests import factories, live
from tests.admin.desk import PASSWORD, user
from tests.books import broken_proofs
from tests.browser import accessibility_problems, browser, new_context
from tests.jobs.running import Processes, running_processes

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
MANY = 200


@pytest.fixture(scope="module")
def site(app, tmp_path_factory) -> Iterator[live.Site]:
    with live.serving(tmp_path_factory.mktemp("site") / "web.log") as running:
        yield running


@pytest.fixture
def processes(app, databases, tmp_path) -> Iterator[Processes]:
    with running_processes(tmp_path, databases.redis_url) as running:
        yield running


@pytest.fixture
def seat(browser, site, app) -> Iterator[Callable[[str], Any]]:
    """`seat("supervisor")`: the browser of somebody with that role, logged in."""
    contexts = []

    def come_in(role: str) -> Any:
        with app.app_context():
            address = user(role, email=f"bulk-{now().timestamp()}@example.com")
        contexts.append(new_context(browser, locale="en-GB"))
        page = contexts[-1].new_page()
        page.goto(f"{site.url}/admin/login")
        page.fill("#email", address)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url("**/admin/")
        return page

    yield come_in
    for context in contexts:
        context.close()


@pytest.fixture
def page(seat) -> Any:
    """The browser of a member of the capture desk."""
    return seat("capture_desk")


@pytest.fixture(scope="module")
def two_hundred(app, acquirers) -> factories.Tenant:
    """A merchant with as many authorised payments, of which the acquirer will refuse one."""
    with app.app_context():
        shop = factories.tenant(acquirers["A"])

    def authorise(number: int) -> Any:
        amount = 66_01 if number == MANY - 1 else 1_000 + number
        with app.app_context():
            return factories.authorised(shop, amount, merchant_reference=f"bulk-{number:03}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(authorise, range(MANY)))
    return shop


def spoil_two(app: Any, shop: factories.Tenant) -> None:
    """While somebody reads the preview one payment is cancelled and another's authorisation expires."""
    with app.app_context():
        with reading(ALL) as connection:
            query = select(PAYMENTS.c.merchant_reference, PAYMENTS.c.id).where(
                PAYMENTS.c.merchant_reference.in_(("bulk-000", "bulk-001")), PAYMENTS.c.merchant_id == shop.merchant_id
            )
            payments = {row.merchant_reference: row.id for row in connection.execute(query)}
        cancel(merchant_id=shop.merchant_id, live=False, payment_id=payments["bulk-000"], actor="test")
        with atomic(ALL) as connection:
            expired = AUTHORISATIONS.c.payment_id == payments["bulk-001"]
            connection.execute(update(AUTHORISATIONS).where(expired).values(expires_at=now()))


def test_two_hundred_are_captured_and_three_failures_are_shown(app, page, site, two_hundred, processes):
    page.goto(f"{site.url}/admin/payments/?mode=test&merchant={public_id('mer', two_hundred.merchant_id)}")
    page.get_by_label("All of this filter").check()
    page.get_by_role("button", name="Capture …").click()
    assert "200 payments can be captured" in page.locator("#h-sum").inner_text()
    assert page.locator("section[aria-labelledby=h-out]").count() == 0, "nothing is left out: all three fail in the run"
    assert accessibility_problems(page) == []
    spoil_two(app, two_hundred)
    page.fill("#reason", "goods sent")
    page.get_by_role("button", name="Capture 200 payments").click()
    page.wait_for_url("**/batches/bat_*")
    assert page.locator("progress").get_attribute("max") == "200"
    processes.worker("default")
    page.wait_for_selector("h2#h-far:has-text('Over')", timeout=120_000)
    assert page.locator("progress").get_attribute("value") == "200"
    assert page.locator("#h-wrong").inner_text() == "3 payments were not done"
    wrong = page.locator("section[aria-labelledby=h-wrong] tbody tr")
    said = {row.locator("a").inner_text(): row.locator("td").last.inner_text() for row in wrong.all()}
    assert said == {
        "bulk-000": "Nothing is left to capture.",
        "bulk-001": "The authorisation has expired.",
        f"bulk-{MANY - 1}": "Declined by the provider without a known reason",
    }
    assert "197" in page.locator("section[aria-labelledby=h-far] .sums").inner_text()
    assert accessibility_problems(page) == []
    with app.app_context():
        assert broken_proofs() == {}


def test_rows_are_chosen_and_opened_with_the_keyboard_alone(page, site, two_hundred):
    page.goto(f"{site.url}/admin/payments/?mode=test&merchant={public_id('mer', two_hundred.merchant_id)}&sort=oldest")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    page.keyboard.press("x")
    boxes = page.locator("[data-rows] tbody input[type=checkbox]")
    assert [boxes.nth(place).is_checked() for place in range(4)] == [True, True, False, False]
    assert page.locator("[data-chosen]").inner_text() == "2 chosen"
    second = page.locator(".row-link").nth(1).get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{second}")


def test_the_keys_are_shown_and_can_be_switched_off(page, site, two_hundred):
    page.goto(f"{site.url}/admin/payments/?mode=test")
    page.keyboard.press("?")
    sheet = page.locator("#keys")
    assert sheet.is_visible() and accessibility_problems(page) == []
    page.get_by_label("Use single letters as keys in this browser").uncheck()
    page.keyboard.press("Escape")
    assert not sheet.is_visible()
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("?")
    assert not sheet.is_visible() and page.evaluate("document.activeElement.tagName") == "BODY"


def test_what_was_found_is_walked_from_the_box_with_the_arrows(page, site, two_hundred):
    page.goto(f"{site.url}/admin/search/?q=bulk-0&mode=test")
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = page.locator(".row-link").nth(1).get_attribute("href")
    assert page.evaluate("document.activeElement.getAttribute('href')") == second
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{second}")


def test_a_file_is_downloaded_and_the_list_can_be_used_on(seat, site, two_hundred):
    page = seat("supervisor")
    page.goto(f"{site.url}/admin/payments/?mode=test&merchant={public_id('mer', two_hundred.merchant_id)}")
    for _ in range(2):
        page.locator("summary").filter(has_text="Export").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Make the file").click()
        assert download.value.suggested_filename.endswith(".csv")
        page.keyboard.press("Escape")


@pytest.fixture
def under_way(app, page, site, two_hundred) -> str:
    """The page of a batch that nobody works on yet, with a clock that stands still."""
    with app.app_context():
        done = [factories.authorised(two_hundred, 700, merchant_reference=f"slow-{number}") for number in range(3)]
    query = "&".join(f"payment={public_id('pay', one.payment['id'])}" for one in done)
    page.goto(f"{site.url}/admin/batches/capture?mode=test&{query}")
    page.get_by_role("button", name="Capture 3 payments").click()
    page.wait_for_url("**/batches/bat_*")
    page.clock.install()
    page.reload()
    return page.url


def test_what_is_under_way_is_brought_up_to_date_around_whoever_has_the_focus(app, page, under_way):
    page.locator("section[aria-labelledby=h-rows] a", has_text="slow-2").focus()
    with app.app_context():
        work(app, 1_000)
    with page.expect_response(under_way):
        page.clock.run_for(2_500)
    page.wait_for_selector("h2#h-far:has-text('Over')")
    assert page.evaluate("document.activeElement.textContent") == "slow-2", "it is still the same link"
    assert page.locator("#announced").inner_text() == "Over: 3 of 3. Done: 3. Not done: 0"


def test_after_the_log_in_has_ended_nothing_is_asked_any_more(page, under_way):
    page.context.clear_cookies()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response(lambda answer: "/admin/login" in answer.url):
        page.clock.run_for(2_500)
    beacon = "fetch('/admin/assets/favicon.svg').then((answer) => answer.text())"
    page.evaluate(beacon)
    page.clock.run_for(60_000)
    page.evaluate(beacon)
    pages = [one for one in asked if "/assets/" not in one]
    assert ["login" if "/login" in one else "page" for one in pages] == ["page", "login"]
