"""The back office in a real browser: keyboard, live sentences, phones, accessibility, the policy for scripts."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.core.ids import public_id
from tests import factories, live
from tests.admin import screens_to_see
from tests.admin.desk import PASSWORD, user
from tests.browser import PHONE, accessibility_problems, browser, new_context

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def site(app, tmp_path_factory) -> Iterator[live.Site]:
    with live.serving(tmp_path_factory.mktemp("site") / "web.log") as running:
        yield running


@pytest.fixture(scope="module")
def addresses(app, acquirers) -> dict[str, str]:
    with app.app_context():
        for language in ("de", "en"):
            user("admin", email=f"{language}@example.com", name="Ada Admin", language=language)
        pages = screens_to_see.pages(acquirers)
        for language in ("de", "en"):
            screens_to_see.arrange_desk(f"{language}@example.com")
        return pages


@pytest.fixture
def enter(browser, site, addresses) -> Iterator[Callable[..., Any]]:
    """Logs in and returns the browser's page: enter("de", **options of the context)."""
    contexts = []

    def come_in(language: str = "en", **options: Any) -> Any:
        context = new_context(browser, locale="de-DE" if language == "de" else "en-GB", **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{site.url}/admin/login")
        page.fill("#email", f"{language}@example.com")
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url("**/admin/")
        return page

    yield come_in
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def outside(app, addresses) -> dict[str, str]:
    """What opens without a log-in."""
    with app.app_context():
        return screens_to_see.before_the_log_in()


def test_every_address_that_a_browser_opens_is_walked_or_says_why_not(app, addresses, outside):
    """Whoever adds a screen adds it to screens_to_see.py."""
    found = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin") and "GET" in (rule.methods or ()) and rule.endpoint != "office.static"
    }
    at = app.url_map.bind("localhost")
    walked = [path.partition("?")[0] for path in (*addresses.values(), *outside.values())]
    seen = {at.match(f"/admin/{path}")[0] for path in walked}
    assert found - seen - {*screens_to_see.NO_SCREEN} == set()
    assert seen & {*screens_to_see.NO_SCREEN} == set() and {*screens_to_see.NO_SCREEN} <= found


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_screen_is_accessible_and_fits_on_desktops_and_phones_in_both_languages(enter, site, addresses, language):
    """With everything that can be opened open: tables of charts, filters, what is folded."""
    page = enter(language)
    problems: dict[str, Any] = {}
    for name, path in {**addresses, "problem": "no-such-page"}.items():
        page.goto(f"{site.url}/admin/{path}")
        assert page.locator("html").get_attribute("lang") == language
        found = look_at(page, on_phones=language == "de")  # its words are the longer ones
        if found:
            problems[name] = found
    assert problems == {}


WIDE = "[...document.querySelectorAll('.card')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
# Charts follow the width of the window a frame or two later.
WIDER = """async () => {
  const wider = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
  for (let frames = 0; frames < 30 && wider() > 0; frames++) await new Promise(requestAnimationFrame);
  return wider();
}"""
ROWS_AND_NO_FOCUS = "document.activeElement === document.body && !!document.querySelector('.row-link')"
OPEN = "for (const one of document.querySelectorAll('details')) one.open = true"
DESKTOP, PHONE_WIDE = ({"width": width, "height": 900} for width in (1280, 390))


def look_at(page: Any, *, on_phones: bool = True) -> list[str]:
    """What is wrong with a page, on a desktop and as wide as a phone, as it came and with all of it open.

    `on_phones`: axe-core too; that it fits is seen in any case.
    """
    found = [f"sticks out of its card: {count}" for count in [page.evaluate(WIDE)] if count]
    if page.evaluate(ROWS_AND_NO_FOCUS):
        page.keyboard.press("j")
        found += [] if page.evaluate("document.activeElement.matches('.row-link')") else ["j leads to no row"]
    page.set_viewport_size(PHONE_WIDE)
    found += [f"wider than a phone by {width}" for width in [page.evaluate(WIDER)] if width > 0]
    page.evaluate(OPEN)
    if on_phones:
        found += [f"phone: {one}" for one in accessibility_problems(page, contrast=False)]
    page.set_viewport_size(DESKTOP)
    return found + accessibility_problems(page)


EMPTIED = """() => {
  const form = [...document.querySelectorAll("main form[method=post]")].pop();
  for (const one of form.querySelectorAll("input:not([type]), input[type=text], input[type=email]")) one.value = "";
  form.noValidate = true;
  form.requestSubmit();
}"""
FORMS = (
    *("role_add", "user_add", "merchant_add", "endpoint_add", "key_issue", "contract_add", "block_add"),
    *("cancel", "evidence_add", "account_password"),
)


@pytest.mark.parametrize("language", ["de", "en"])
def test_forms_are_accessible_with_their_errors_and_so_is_what_they_show_once(enter, site, addresses, language):
    page = enter(language)
    problems: dict[str, Any] = {}
    for name in FORMS:
        page.goto(f"{site.url}/admin/{addresses[name]}")
        with page.expect_navigation():
            page.evaluate(EMPTIED)
        assert page.locator(".field.bad, .note.bad").count(), name
        problems[name] = look_at(page)
    page.goto(f"{site.url}/admin/{addresses['reveal']}")
    page.fill("main form [name=reason]", "The payer asks what was sent")
    page.locator("main form button.main").click()
    page.locator("h1").wait_for()
    assert "Musterweg 1" in page.inner_text("main")
    problems["revealed"] = look_at(page)
    page.goto(f"{site.url}/admin/{addresses['key_issue']}")
    page.fill("#name", f"Till {language}")
    page.locator("main form button.main").click()
    page.locator("#secret").wait_for()
    problems["secret"] = look_at(page)
    assert {name: found for name, found in problems.items() if found} == {}


@pytest.mark.parametrize("language", ["de", "en"])
def test_what_opens_without_a_log_in_is_accessible(browser, site, outside, language):
    context = new_context(browser, locale="de-DE" if language == "de" else "en-GB")
    page = context.new_page()
    problems = {}
    for name, path in outside.items():
        page.goto(f"{site.url}/admin/{path}")
        problems[name] = look_at(page)
    context.close()
    assert {name: found for name, found in problems.items() if found} == {}


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_log_in_is_accessible_also_with_errors(browser, site, addresses, language):
    context = new_context(browser, locale="de-DE" if language == "de" else "en-GB")
    page = context.new_page()
    page.goto(f"{site.url}/admin/login")
    before = accessibility_problems(page)
    page.click("button.main")
    assert page.locator(".error").count() == 2
    assert before + accessibility_problems(page) == []
    context.close()


def test_the_policy_blocks_nothing_of_ours(enter, site, addresses):
    page = enter("en", bypass_csp=False)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in addresses.values():
        page.goto(f"{site.url}/admin/{path}", wait_until="load")
    assert said == []


def test_a_slash_leads_to_the_search_and_a_reference_to_its_payment(app, tenant, enter, site):
    with app.app_context():
        done = factories.authorised(tenant, merchant_reference="slash-and-go")
    page = enter()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("slash-and-g")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/admin/payments/{public_id('pay', done.payment['id'])}")


def test_a_whole_id_is_copied(app, tenant, enter, site):
    with app.app_context():
        done = factories.authorised(tenant)
    payment = public_id("pay", done.payment["id"])
    page = enter(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{site.url}/admin/payments/{payment}")
    page.locator(f"[data-copy='{payment}']").first.click()
    page.wait_for_selector(".copy.done")
    assert page.evaluate("navigator.clipboard.readText()") == payment
    assert page.locator("#announced").inner_text() == "Copied"


def test_filters_open_one_at_a_time_and_close_with_escape(enter, site):
    page = enter()
    page.goto(f"{site.url}/admin/payments/")
    page.get_by_text("Status", exact=True).first.click()
    page.get_by_text("Method", exact=True).first.click()
    assert page.locator("details[open]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("details[open]").count() == 0
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_a_filter_is_set_with_the_keyboard_alone(app, tenant, enter, site):
    page = enter()
    page.goto(f"{site.url}/admin/payments/")
    page.locator("summary").filter(has_text="Status").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"\?.*status=created"))
    assert "Status: Started" in page.locator(".filter.on").first.inner_text()


def test_the_sentence_follows_the_amount_while_one_types(app, tenant, enter, site):
    with app.app_context():
        done = factories.captured(tenant, 1_990)
    page = enter("de")
    page.goto(f"{site.url}/admin/payments/{public_id('pay', done.payment['id'])}/refund")
    page.fill("#amount", "12,50")
    page.wait_for_function("document.querySelector('#effect p').textContent.includes('7,40')")
    sentence = page.locator("#effect p").inner_text().replace("\xa0", " ")
    assert sentence == "12,50 € gehen zurück auf Visa •••• 4242. Danach bleiben 7,40 € erstattbar."
    assert page.locator("form button.main").first.inner_text().replace("\xa0", " ") == "12,50 € erstatten"
    page.fill("#reason", "Rückgabe")
    page.click("button.main")
    page.wait_for_url("**/pay_*")
    assert page.locator(".note.good").inner_text().replace("\xa0", " ").strip() == "12,50 € erstattet."


def test_a_double_click_refunds_once(app, tenant, enter, site):
    with app.app_context():
        done = factories.captured(tenant, 5_000)
    page = enter()
    page.goto(f"{site.url}/admin/payments/{public_id('pay', done.payment['id'])}/refund")
    page.fill("#amount", "20")
    page.wait_for_function("document.querySelector('[name=stated]').value === '2000'")
    page.fill("#reason", "return")
    page.dblclick("button.main")
    page.wait_for_url(re.compile(r"/pay_\w+$"))
    assert "€30.00" in page.locator(".sums").inner_text()


def test_it_works_without_javascript(app, tenant, enter, site):
    with app.app_context():
        done = factories.authorised(tenant, 5_000)
    page = enter(java_script_enabled=False)
    page.goto(f"{site.url}/admin/payments/{public_id('pay', done.payment['id'])}")
    page.click("text=Capture €50.00")
    page.fill("#amount", "12,50")
    page.click("button.main")
    assert "After that €37.50 can still be captured." in page.locator("#effect").inner_text()
    page.click("button.main")
    assert page.locator(".note.good").inner_text().strip() == "€12.50 captured."
    page.goto(f"{site.url}/admin/payments/?status=captured")
    page.locator("summary").filter(has_text="Method").click()
    page.get_by_label("PayPal").check()
    page.locator("details[open] button").click()
    assert "method=paypal" in page.url and "status=captured" in page.url


def test_the_menu_opens_and_closes_on_a_phone(enter, site):
    page = enter("en", **PHONE)
    assert not page.locator("#side").is_visible()
    page.click(".menu-button")
    assert page.locator("#side").is_visible()
    assert page.locator(".menu-button").get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert not page.locator("#side").is_visible()
    page.click(".menu-button")
    page.click("#side >> text=Disputes")
    page.wait_for_url("**/admin/disputes/")


def test_errors_come_into_focus(app, tenant, enter, site):
    with app.app_context():
        done = factories.authorised(tenant, 5_000)
    page = enter()
    page.goto(f"{site.url}/admin/payments/{public_id('pay', done.payment['id'])}/cancel")
    page.click("button.main")
    page.wait_for_selector(".field.bad")
    assert page.evaluate("document.activeElement.id") == "reason"
    assert page.title().startswith("Error:")


def test_charts_are_drawn_under_the_policy_and_say_what_one_points_at(enter, site, addresses):
    page = enter("en", bypass_csp=False)
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{site.url}/admin/{addresses['figures']}")
    volume = page.locator("section.chart").first
    drawn = volume.locator("canvas")
    drawn.wait_for()
    assert page.evaluate("[...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('canvas'))")
    colours = "(canvas) => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
    assert drawn.evaluate(colours) > 20, "something is painted"
    whole = volume.locator(".legend strong").first.inner_text()
    box = drawn.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 40, box["y"] + 60)
    today = volume.locator("tbody tr").last
    assert volume.locator(".legend .where").inner_text() == today.locator("th").text_content()
    assert volume.locator(".legend strong").first.inner_text() == today.locator("td").first.text_content()
    page.mouse.move(5, 5)
    assert volume.locator(".legend strong").first.inner_text() == whole
    assert said == []


def test_without_javascript_a_chart_is_its_table(enter, site, addresses):
    page = enter("en", java_script_enabled=False)
    page.goto(f"{site.url}/admin/{addresses['figures']}")
    volume = page.locator("section.chart").first
    assert "needs JavaScript" in volume.inner_text()
    volume.locator("summary").click()
    assert volume.locator("tbody tr").count() == 7 and volume.locator("tfoot").is_visible()
