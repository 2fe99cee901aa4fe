"""“Is it you?”: asked before money moves or rights and keys change, when the log-in is a while ago."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from werkzeug.datastructures import MultiDict

from admin import kept
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.ids import public_id, uuid7
from app.staff import lock
from tests import factories
from tests.admin.desk import PASSWORD, Desk, user
from tests.staff.people import app_of, code


@pytest.fixture
def stale(app):
    """`stale(role)`: a desk where somebody logged in an hour ago, and their address."""

    def sit(role="operator"):
        with app.app_context():
            with reading(ALL) as connection:
                number = connection.execute(text("SELECT count(*) FROM staff_users")).scalar_one()
            email = user(role, email=f"stale{number}@example.com", name="Stella Stehn")
        desk = Desk(app.test_client())
        desk.log_in(email)
        _an_hour_later(app, email)
        return desk, email

    return sit


def _an_hour_later(app, email):
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(
            text(
                "UPDATE staff_sessions s SET confirmed_at = :then FROM staff_users u"
                " WHERE u.id = s.user_id AND u.email = :email"
            ),
            {"then": now() - timedelta(hours=1), "email": email},
        )


def events(app, email):
    with app.app_context(), reading(ALL) as connection:
        query = text(
            "SELECT e.name FROM events e JOIN staff_users u ON u.id = e.subject_id WHERE u.email = :e ORDER BY e.id"
        )
        return list(connection.execute(query, {"e": email}).scalars())


def test_a_refund_asks_who_it_is_and_goes_on(app, made, tenant, page_of, stale):
    desk, email = stale()
    path = f"{page_of(made(factories.captured, tenant, 5_000))}/refund"
    page = desk.open(path)
    assert page.path.startswith("/admin/confirm?next=") and email in page.text
    back = desk.send(page, page.form("password"), password=PASSWORD)
    assert back.path == path and "amount" in back.form("amount").fields
    assert events(app, email)[-1] == "staff.confirmed"
    assert desk.open(path).path == path, "once is enough for a while"


def test_what_was_typed_is_there_again_and_nothing_was_done(app, made, tenant, page_of, stale):
    desk, email = stale()
    done = made(factories.captured, tenant, 5_000)
    path = f"{page_of(done)}/refund"
    page = desk.open(path)
    refund = desk.send(page, page.form("password"), password=PASSWORD)
    _an_hour_later(app, email)
    page = desk.send(refund, refund.form("amount"), amount="12,34", reason="Rückgabe")
    assert page.path.startswith("/admin/confirm?")
    back = desk.send(page, page.form("password"), password=PASSWORD)
    assert back.notes[0] == "Thank you. Nothing was done yet: check it and send it again."
    again = back.form("amount")
    assert (again.fields["amount"], again.fields["reason"]) == ("12.34", "Rückgabe")
    sent = desk.send(back, again)
    sent = desk.send(sent, sent.form("amount")) if "/refund" in sent.path else sent
    assert sent.notes[0] == "€12.34 refunded."


def test_secrets_are_never_kept(app):
    typed = MultiDict({"csrf_token": "x", "password": "p", "api_key": "k", "webhook_secret": "s", "amount": "1"})
    somebody, other = uuid7(), uuid7()
    with app.app_context():
        name = kept.keep(typed, somebody)
        assert name and dict(kept.typed(name, somebody) or {}) == {"amount": "1"}
        assert kept.typed(name, somebody) is None, "once"
        name = kept.keep(typed, somebody)
        assert name and kept.typed(name, other) is None, "nobody else's"


def test_a_button_leads_back_to_its_page(app, stale):
    desk, _ = stale("admin")
    with app.app_context():
        someone = user("support", email="button@example.com")
        with reading(ALL) as connection:
            user_id = connection.execute(text("SELECT id FROM staff_users WHERE email = :e"), {"e": someone}).scalar()
    path = f"/admin/users/{public_id('usr', user_id)}"
    page = desk.open(path)
    answer = desk.ask(
        f"{path}/reset",
        "POST",
        data=page.form_to("/reset").fields,
        headers={"Referer": f"http://localhost{path}"},
    )
    assert answer.status_code == 303 and f"next={path}" in answer.headers["Location"].replace("%2F", "/")
    page = desk.open(answer.headers["Location"])
    assert desk.send(page, page.form("password"), password=PASSWORD).path == path
    page = desk.open(path)
    assert desk.send(page, page.form_to("/reset")).notes == ["The link is on its way. It is valid for 30 minutes."]


def test_wrong_passwords_here_lock_too(app, stale):
    desk, email = stale()
    page = desk.open("/admin/confirm?next=/admin/payments/")
    for _ in range(lock.FREE_ATTEMPTS):
        page = desk.send(page, page.form("password"), password="a guess")
        assert page.errors == ["This is not your password."]
    assert desk.send(page, page.form("password"), password=PASSWORD).notes == [
        "Too many failed attempts. Wait 1 minute."
    ]
    assert events(app, email)[-1] == "staff.locked_out"


def test_a_code_of_the_app_does_as_well(app, stale):
    desk, email = stale()
    with app.app_context():
        with reading(ALL) as connection:
            user_id = connection.execute(text("SELECT id FROM staff_users WHERE email = :e"), {"e": email}).scalar_one()
        secret = app_of(user_id)
    page = desk.open("/admin/confirm?next=/admin/payments/")
    assert desk.send(page, page.form("code"), code=code(secret, 1)).path == "/admin/payments/"


def test_who_has_a_second_factor_confirms_with_it_and_not_with_the_password(app, stale):
    desk, email = stale()
    with app.app_context():
        with reading(ALL) as connection:
            user_id = connection.execute(text("SELECT id FROM staff_users WHERE email = :e"), {"e": email}).scalar_one()
        app_of(user_id)
    page = desk.open("/admin/account/authenticator/remove")
    assert page.path.startswith("/admin/confirm?") and "password" not in page.form("code").fields
    fields = {**page.form("code").fields, "code": None, "password": PASSWORD}
    refused = desk.send(page, page.form("code"), **fields)
    assert refused.errors == ["This is needed."]
    assert desk.open("/admin/account/authenticator/remove").path.startswith("/admin/confirm?")
    assert "staff.confirmed" not in events(app, email)


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/admin/\\evil", "/v1/payments"])
def test_it_never_leads_elsewhere(stale, target):
    desk, _ = stale("support")
    page = desk.open(f"/admin/confirm?next={target}")
    answer = desk.ask(page.path, "POST", data={**page.form("password").fields, "password": PASSWORD})
    assert answer.status_code == 303 and answer.headers["Location"] == "/admin/"


def test_looking_never_asks(stale):
    desk, _ = stale("admin")
    for path in ("/admin/", "/admin/payments/", "/admin/users/", "/admin/keys/", "/admin/account/"):
        assert desk.open(path).path == path


def test_what_touches_money_rights_and_keys_asks(app):
    fresh = {
        rule.rule for rule in app.url_map.iter_rules() if getattr(app.view_functions[rule.endpoint], "fresh", False)
    }
    for end in (
        *("payments/<id>/refund", "payments/<id>/capture", "payments/<id>/cancel", "users/add", "users/<id>/switch"),
        *("keys/issue", "keys/<id>/rotate", "keys/<id>/revoke", "contracts/add", "endpoints/<id>/rotate"),
        *("approval-rules/add", "approvals/<id>/approve", "payments/<id>/release", "roles/<id>/second-factor"),
        *("blocks/<id>/remove", "ceilings/<id>/change", "exports/ask", "exports/<id>/file", "events/export"),
        *("customers/<id>/restrict", "customers/<id>/export"),
        *("users/<id>/factor", "users/<id>/sessions", "account/authenticator/", "account/passkeys/add"),
    ):
        assert f"/admin/{end}" in fresh, end
