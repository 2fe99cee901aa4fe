"""No success without an event: the watch over every test of this folder, and a walk over every form and button."""

from typing import Any

import pytest
from sqlalchemy import insert
from werkzeug.exceptions import HTTPException

from admin.screens import books
from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.ids import uuid7
from app.core.reactions import FailedReaction
from tests.admin import screens_to_see
from tests.admin.told import heard, watched

# Tested where the ceremony is, under the same watch: what needs a mailed link, a code, a device or a second person,
# or things in a state of their own.
ELSEWHERE = {
    "test_login": {"security.login", "security.logout"},
    "test_second_step": {
        *("entrance.second_step", "office_authenticator.index", "office_authenticator.codes"),
        *("office_authenticator.remove", "office_user_access.factor"),
    },
    "test_passkeys": {"entrance.passkey", "office_passkeys.add", "office_passkeys.remove"},
    "test_mailed_links": {
        *("entrance.forgotten", "entrance.invitation", "entrance.reset"),
        *("office_user_access.invite", "office_user_access.sessions"),
        *("office_login_safety.end", "office_login_safety.end_others"),
    },
    "test_confirm": {"entrance.confirm"},
    "test_customers": {"office_payer_record.open"},  # only a new record is told; one that is there is read
    "test_approvals": {
        *("office_approvals.approve", "office_approvals.reject", "office_approvals.take_back"),
        *("office_approvals.secret", "office_unknown.correct"),
    },
    "test_batches": {f"office_batches.{one}" for one in ("capture", "cancel", "stop_capture", "stop_cancel")},
    "test_system": {"office_jobs.retry", "office_account.password", "office_grants.change", "office_grants.remove"},
    "test_payment_list": {f"office_payment_desk.{one}" for one in ("columns", "change", "remove", "save")},
    "test_actions": {"office_payment_actions.cancel"},
    "test_evidence": {"office_evidence.add"},
    "test_messages": {"office_endpoints.replay"},
    "test_onboarding_in_a_browser": {"office_methods.earlier"},
}
# What a person would change; everything else stays as the form offers it.
_NEW = {"name": "Something new"}
CHANGED: dict[str, dict[str, Any]] = {
    "office.choose_language": {"language": "de"},
    "office_account.index": _NEW,
    "office_approvals.comment": {"body": "Please look at the invoice."},
    "office_blocks.add": {"value": "blocked.anew@example.org"},
    "office_ceilings.change": {"review_above": "601.00"},
    "office_contracts.add": {"setting_secret_key": "sk_test_1", "setting_webhook_secret": "whsec_1"},
    "office_contracts.change": {"label": "Something new"},
    "office_endpoints.add": {"url": "http://127.0.0.1:8/new"},
    "office_endpoints.change": {"description": "Something new"},
    "office_keys.issue": _NEW,
    "office_merchants.add": _NEW,
    "office_merchants.change": {"name": "Something newer"},
    "office_periods.close": {"last_day": "2026-01-31"},
    "office_payment_notes.write": {"said": "Called back."},
    "office_roles.add": {"label": "Something new", "permissions": ["payment.read"]},
    "office_shops.add": _NEW,
    "office_shops.change": _NEW,
    "office_users.add": {**_NEW, "email": "something.new@example.com", "roles": ["support"]},
    "office_users.change": _NEW,
}
# What takes away what others need comes last.
_LAST = ("switch", "cancel", "revoke", "remove", "erase", "delete", "usual", "choose_language")


@pytest.fixture
def _nothing_is_done_silently():
    """The watch of the folder, off: the first test is about what it sees."""


def test_the_watch_sees_what_is_said_to_be_done_and_not_told(app, desk, monkeypatch):
    monkeypatch.setattr(books, "told", lambda *_names, **_data: None)
    page = desk.open("/admin/books/")
    with watched(app) as untold:
        desk.send(page, page.form_to("/books/prove"))
    assert [line.partition(":")[0] for line in untold] == ["office_books.prove"]


@pytest.fixture(scope="module")
def pages(app, acquirers):
    with app.app_context():
        with atomic(ALL) as connection:
            row = {
                "id": uuid7(),
                "event_id": uuid7(),
                "reaction": "gone",
                "error": "",
                "attempts": 1,
                "failed_at": now(),
            }
            connection.execute(insert(FailedReaction).values(row))
        return screens_to_see.pages(acquirers)


@pytest.fixture(scope="module")
def buttons(app, desks, pages):
    """Endpoint -> (page, action) of the first form that leads to it; every page is opened once."""
    adapter, found = app.url_map.bind("localhost"), {}
    for path in pages.values():
        page = desks("admin").open(f"/admin/{path}")
        for form in page.forms:
            try:
                target = (form.action or page.path).partition("?")[0]
                endpoint, _ = adapter.match(target, method=form.method)
            except HTTPException:
                continue  # a search
            if form.method == "POST":
                found.setdefault(endpoint, (f"/admin/{path}", form.action))
    return found


def test_every_form_and_button_tells_who_used_it(app, desks, buttons):
    desk, silent = desks("admin"), {}
    posts = {
        rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin") and "POST" in rule.methods
    }
    here = sorted(posts - set[str]().union(*ELSEWHERE.values()), key=lambda one: (_place(one), one))
    for endpoint in here:
        if endpoint not in buttons:
            silent[endpoint] = "no page of screens_to_see.py has this form"
            continue
        path, action = buttons[endpoint]
        page = desk.open(path)
        form = next((one for one in page.forms if one.method == "POST" and one.action == action), None)
        assert form is not None, (endpoint, page.title)
        fields = {**form.fields, **{name: "because" for name in ("reason", "note") if form.fields.get(name) == ""}}
        with heard() as names:
            answer = desk.ask(action or page.path, "POST", data={**fields, **CHANGED.get(endpoint, {})})
        if not names:
            silent[endpoint] = f"{answer.status_code}: {answer.get_data(as_text=True)[:200]}"
    assert silent == {}


def test_what_is_tested_elsewhere_exists(app):
    known = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert set[str]().union(*ELSEWHERE.values()) - known == set()


def _place(endpoint: str) -> int:
    return next((1 + place for place, word in enumerate(_LAST) if word in endpoint), 0)
