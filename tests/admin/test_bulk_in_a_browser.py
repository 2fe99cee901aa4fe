"""In a real browser: two hundred payments captured at once, of which three fail for real reasons; the keys of lists."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import update

from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.ids import public_id
from app.payments.cancel import cancel
from app.payments.queries import AUTHORISATIONS
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
def page(browser, site, app) -> Iterator[Any]:
    """The browser of a member of the capture desk, logged in."""
    with app.app_context():
        address = user("admin", email=f"bulk-{now().timestamp()}@example.com")
    context = new_context(browser, locale="en-GB")
    page = context.new_page()
    page.goto(f"{site.url}/admin/login")
    page.fill("#email", address)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**/admin/")
    yield page
    context.close()


@pytest.fixture(scope="module")
def two_hundred(app, acquirers) -> factories.Tenant:
    """A merchant with as many authorised payments. One has expired, one is cancelled, one the acquirer will refuse."""
    with app.app_context():
        shop = factories.tenant(acquirers["A"])

    def authorise(number: int) -> Any:
        amount = 66_01 if number == MANY - 1 else 1_000 + number
        with app.app_context():
            return factories.authorised(shop, amount, merchant_reference=f"bulk-{number:03}")

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(authorise, range(MANY)))
    with app.app_context():
        cancel(merchant_id=shop.merchant_id, live=False, payment_id=made[0].payment["id"], actor="test")
        with atomic(ALL) as connection:
            expired = AUTHORISATIONS.c.payment_id == made[1].payment["id"]
            connection.execute(update(AUTHORISATIONS).where(expired).values(expires_at=now()))
    return shop


def test_two_hundred_are_captured_and_three_failures_are_shown(app, page, site, two_hundred, processes):
    page.goto(f"{site.url}/admin/payments/?mode=test&merchant={public_id('mer', two_hundred.merchant_id)}")
    page.get_by_label("All of this filter").check()
    page.get_by_role("button", name="Capture …").click()
    assert "198 payments can be captured" in page.locator("#h-sum").inner_text()
    left_out = page.locator("section[aria-labelledby=h-out] tbody").inner_text()
    assert "Nothing is left to capture." in left_out and "The authorisation has expired." in left_out
    assert accessibility_problems(page) == []
    page.fill("#reason", "goods sent")
    page.get_by_role("button", name="Capture 198 payments").click()
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


def test_a_file_is_downloaded_and_the_list_can_be_used_on(page, site, two_hundred):
    page.goto(f"{site.url}/admin/payments/?mode=test&merchant={public_id('mer', two_hundred.merchant_id)}")
    for _ in range(2):
        page.locator("summary").filter(has_text="Export").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Make the file").click()
        assert download.value.suggested_filename.endswith(".csv")
        page.keyboard.press("Escape")
