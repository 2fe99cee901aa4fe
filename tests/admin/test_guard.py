"""What every answer of the back office has in common."""

import re

import pytest

from tests import factories
from tests.admin.desk import Desk, user

PAGES = ("/admin/", "/admin/payments/", "/admin/jobs/", "/admin/account/", "/admin/no-such-page")


@pytest.mark.parametrize("path", (*PAGES, "/admin/login"))
def test_only_scripts_with_the_nonce_run_and_nothing_comes_from_elsewhere(app, desk, path):
    answer = (Desk(app.test_client()) if path == "/admin/login" else desk).ask(path)
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    html = answer.get_data(as_text=True)
    assert nonce and policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert re.findall(r"<script[^>]*>", html) == re.findall(
        rf'<script[^>]*nonce="{re.escape(nonce.group(1))}"[^>]*>', html
    )
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", html), "no inline handlers or styles"
    assert not re.search(r'(src|href)="(https?:)?//', html), "nothing from elsewhere"


def test_the_nonce_is_another_one_each_time(desk):
    first, second = (desk.ask("/admin/").headers["Content-Security-Policy"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_not_framed_not_kept_and_tell_no_other_site(desk, path):
    headers = desk.ask(path).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_files_are_kept_for_ever_under_an_address_with_their_version(desk):
    page = desk.open("/admin/")
    address = re.search(r'"(/admin/assets/office\.css\?v=\w+)"', page.html)
    assert address
    answer = desk.ask(address.group(1))
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert desk.ask("/admin/assets/../door.py").status_code == 404


def test_an_unknown_address_is_answered_in_our_look(desk):
    page = desk.open("/admin/no-such-page")
    assert page.status == 404
    assert "To the start page" in page.text and "req_" in page.text


def test_what_is_not_text_is_refused(desk):
    assert desk.ask("/admin/search/?q=a%00b").status_code == 400


def test_the_other_doors_know_no_session(app, tenant):
    answer = app.test_client().get("/v1/payments", headers=tenant.headers)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers and "Cookie" not in answer.headers.get("Vary", "")


def test_test_and_live_never_share_a_list(made, tenant, desk):
    reference = made(factories.authorised, tenant).payment["merchant_reference"]
    assert reference in desk.open("/admin/payments/?mode=test").text
    assert reference not in desk.open("/admin/payments/?mode=live").text
    assert reference not in desk.open("/admin/payments/").text, "the mode stays"
    assert reference in desk.open("/admin/payments/?mode=test").text


def test_test_data_is_marked_on_every_page_and_a_payment_shows_its_own_mode(made, tenant, desk, page_of):
    done = made(factories.authorised, tenant)
    band = "Test data: no real money moves."
    assert band not in desk.open("/admin/?mode=live").text
    assert band in desk.open(page_of(done)).text
    assert band in desk.open("/admin/payments/").text, "and the lists follow"


def test_the_language_is_the_users_and_can_be_changed_on_every_page(app):
    with app.app_context():
        email = user("support", email="sprache@example.com", language="de")
    desk = Desk(app.test_client())
    assert "Übersicht" in desk.log_in(email).text
    page = desk.open("/admin/payments/?status=captured")
    assert "Zahlungen" in page.text
    english = desk.send(page, page.form_to("/admin/language"), language="en")
    assert english.path == "/admin/payments/?status=captured"
    assert "Payments" in english.text and '<html lang="en">' in english.html
    again = Desk(app.test_client())
    assert "Overview" in again.log_in(email).text, "it is remembered"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/v1/payments", "/admin/\\evil"])
def test_changing_the_language_never_leads_elsewhere(desk, target):
    page = desk.open("/admin/")
    form = page.form_to("/admin/language")
    answer = desk.ask("/admin/language", "POST", data={**form.fields, "language": "en", "next": target})
    assert answer.headers["Location"] in ("/admin/login", "/admin/")
