"""Four eyes in a real browser: asked over the limit, approved by another, refused to the maker, out of date."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.core.db import ALL, atomic
from app.core.ids import public_id
from app.core.limits import Limit
from app.payments.refund import refund
from app.staff.add import add_user
from app.staff.grant import Given
from tests import factories, live
from tests.admin.desk import PASSWORD
from tests.browser import browser, new_context

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]
LIMITS = {"payment.refund": {"EUR": Limit(each=50_00)}}
STAFF = {
    "maker": Given("operator", None, LIMITS),
    "boss": Given("supervisor", None, LIMITS),
    "checker": Given("supervisor"),
}


@pytest.fixture(scope="module")
def site(app, tmp_path_factory) -> Iterator[live.Site]:
    with app.app_context(), atomic(ALL) as connection:
        for name, given in STAFF.items():
            add_user(
                connection,
                email=f"{name}@example.com",
                password=PASSWORD,
                roles=[given],
                name=name.title(),
                language="en",
                actor="test",
            )
    with live.serving(tmp_path_factory.mktemp("site") / "web.log") as running:
        yield running


@pytest.fixture
def enter(browser, site) -> Iterator[Callable[[str], Any]]:
    contexts = []

    def come_in(name: str) -> Any:
        context = new_context(browser, locale="en-GB")
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{site.url}/admin/login")
        page.fill("#email", f"{name}@example.com")
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url("**/admin/")
        return page

    yield come_in
    for context in contexts:
        context.close()


def ask(page: Any, site: live.Site, done: Any) -> None:
    """Refunds 120 EUR, which is more than may be done alone."""
    page.goto(f"{site.url}/admin/payments/{public_id('pay', done.payment['id'])}/refund")
    page.fill("#amount", "120,00")
    page.fill("#reason", "The parcel came back")
    page.get_by_text("€120.00 goes back").wait_for()
    assert "That is more than the €50.00 that may be done alone." in page.inner_text("main")
    page.get_by_role("button", name="Ask for approval").click()
    page.wait_for_url(f"**/admin/payments/{public_id('pay', done.payment['id'])}")
    assert "is kept aside until somebody else has decided" in page.inner_text("main")


def open_request(page: Any, site: live.Site, done: Any, view: str = "open") -> None:
    """From the inbox, by the reference of its payment. One's own are in the view "mine"."""
    page.goto(f"{site.url}/admin/approvals/?view={view}")
    row = page.locator("tbody tr", has_text=done.payment["merchant_reference"])
    row.locator("a.row-link").click()
    page.wait_for_url("**/admin/approvals/apr_*")


def test_a_refund_over_the_limit_is_approved_by_another_and_refunded(app, made, tenant, acquirers, site, enter):
    done = made(factories.captured, tenant, 200_00)
    ask(enter("maker"), site, done)
    assert acquirers["A"].did(done="refunded", reference=done.payment["merchant_reference"]) == []
    page = enter("checker")
    open_request(page, site, done)
    page.fill("#note", "seen the parcel")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("Approved and done.").wait_for()
    assert made(factories.fresh, done)["refunded"] == 120_00
    assert len(acquirers["A"].did(done="refunded", reference=done.payment["merchant_reference"])) == 1


def test_the_maker_is_refused_to_approve_their_own(app, made, tenant, site, enter):
    """A supervisor may approve what others ask for; here they send the form for their own request all the same."""
    done = made(factories.captured, tenant, 200_00)
    page = enter("boss")
    ask(page, site, done)
    open_request(page, site, done, "mine")
    assert page.get_by_role("button", name="Approve").count() == 0
    page.eval_on_selector(
        "form[action$='/take-back']",
        "form => { form.action = form.action.replace('take-back', 'approve'); form.requestSubmit() }",
    )
    page.get_by_text("You asked for this yourself; somebody else has to decide.").first.wait_for()
    assert made(factories.fresh, done)["refunded"] == 0


def test_a_request_is_closed_when_its_payment_has_changed(app, made, tenant, site, enter):
    done = made(factories.captured, tenant, 200_00)
    ask(enter("maker"), site, done)
    page = enter("checker")
    open_request(page, site, done)
    whose = {"merchant_id": tenant.merchant_id, "live": False, "payment_id": done.payment["id"]}
    made(refund, **whose, amount=1_00, actor="key:x")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("What was asked about has changed since.").wait_for()
    payment = made(factories.fresh, done)
    assert (payment["refunded"], payment["refund_pending"]) == (1_00, 0)


def test_it_goes_by_keyboard_alone(app, made, tenant, site, enter):
    """Asked and approved without a mouse: only Tab, typing and Enter."""
    done = made(factories.captured, tenant, 200_00)
    ask(enter("maker"), site, done)
    page = enter("checker")
    open_request(page, site, done)
    page.focus("#note")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Approve"
    page.keyboard.press("Enter")
    page.get_by_text("Approved and done.").wait_for()
    assert made(factories.fresh, done)["refunded"] == 120_00
