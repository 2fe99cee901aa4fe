"""A script of the checkout that was changed on its way does not run, and the page works without it."""

import pytest
from playwright.sync_api import expect

from tests.hosted_pages.pages import THANKS, pay

pytestmark = pytest.mark.browser
PREFIX = "window.stolen = 1;"


def _changed(route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=PREFIX + answer.text())


def _without_integrity(route) -> None:
    answer = route.fetch()
    before, found, after = answer.text().partition(' integrity="')
    assert found
    route.fulfill(response=answer, body=before + after.partition('"')[2])


def _open(page, address: str) -> bool:
    """Opens a page, its scripts and all. Returns whether the changed script ran."""
    page.goto(address, wait_until="load")
    return page.evaluate("window.stolen") == 1


def test_a_changed_script_is_refused_and_the_payer_can_still_pay(plain_page, site, new_checkout):
    plain_page.route("**/hosted/hosted.js*", _changed)
    assert not _open(plain_page, site.checkout(new_checkout().checkout["id"]))
    pay(plain_page, "visa")
    expect(plain_page.locator("h1")).to_have_text(THANKS)


def test_nor_does_it_run_when_somebody_took_the_integrity_out_of_the_page(plain_page, site, new_checkout):
    plain_page.route("**/pay/**", _without_integrity)
    plain_page.route("**/hosted/hosted.js*", _changed)
    assert not _open(plain_page, site.checkout(new_checkout().checkout["id"]))


def test_a_change_would_run_if_nothing_guarded_the_page(plain_page, site, new_checkout):
    """The control: without our headers and our tag, the same change does run."""

    def bare(route) -> None:
        answer = route.fetch()
        route.fulfill(
            body=answer.text().replace("integrity=", "data-was="), content_type="text/html", status=answer.status
        )

    plain_page.route("**/pay/**", bare)
    plain_page.route("**/hosted/hosted.js*", _changed)
    assert _open(plain_page, site.checkout(new_checkout().checkout["id"]))
