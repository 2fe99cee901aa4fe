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


def test_it_goes_by_keyboard_alone(app, made, tenant, acquirers, site, browser):
    """Nothing but keys: log in, find the payment, refund over the limit, log out; another logs in and approves."""
    done = made(factories.captured, tenant, 200_00, merchant_reference="by-keys-alone")
    context = new_context(browser, locale="en-GB")
    page = context.new_page()
    page.goto(f"{site.url}/admin/login")
    log_in(page, "maker")
    press(page, "/")
    write(page, "by-keys-alone", "Enter")
    page.wait_for_url(f"**/admin/payments/{public_id('pay', done.payment['id'])}")
    tab_to(page, "Refund", "Enter")
    page.wait_for_url("**/refund")
    tab_to(page, "amount")
    press(page, "Control+a")
    write(page, "120,00", "Tab")
    page.get_by_text("€120.00 goes back").wait_for()
    tab_to(page, "reason")
    write(page, "The parcel came back")
    page.get_by_role("button", name="Ask for approval").wait_for()
    press(page, "Enter")
    page.get_by_text("is kept aside until somebody else has decided").first.wait_for()
    tab_to(page, "Maker", "Enter")
    tab_to(page, "Log out", "Enter")
    page.wait_for_url("**/admin/login")
    log_in(page, "checker")
    tab_to(page, "Requests for approval", "Enter")
    page.wait_for_url("**/admin/approvals/")
    row = page.locator("tbody tr", has_text="by-keys-alone").locator(".row-link").get_attribute("href")
    for _ in range(20):
        press(page, "j")
        if page.evaluate("document.activeElement.getAttribute('href')") == row:
            break
    press(page, "Enter")
    page.wait_for_url("**/admin/approvals/apr_*")
    tab_to(page, "note")
    write(page, "by keyboard")
    tab_to(page, "Approve", "Enter")
    page.get_by_text("Approved and done.").wait_for()
    context.close()
    assert made(factories.fresh, done)["refunded"] == 120_00
    assert len(acquirers["A"].did(done="refunded", reference="by-keys-alone")) == 1


def log_in(page: Any, name: str) -> None:
    tab_to(page, "email")
    write(page, f"{name}@example.com")
    tab_to(page, "password")
    write(page, PASSWORD, "Enter")
    page.wait_for_url("**/admin/")


def press(page: Any, key: str) -> None:
    page.keyboard.press(key)


def write(page: Any, text: str, then: str = "") -> None:
    page.keyboard.type(text)
    if then:
        press(page, then)


def tab_to(page: Any, what: str, then: str = "") -> None:
    """Goes on until a field of that name, or something that is called so, has the focus."""
    where = "(() => { const at = document.activeElement; return [at.id, at.ariaLabel || '', at.textContent] })()"
    for _ in range(120):
        name, label, text = page.evaluate(where)
        if what in (name, label) or text.strip().startswith(what) or (what in text and len(text) < 200):
            break
        press(page, "Tab")
    else:
        raise AssertionError(f"Tab never comes to {what}")
    if then:
        press(page, then)
