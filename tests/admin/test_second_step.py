"""The second step of a log-in, without a browser; with one it is in test_passkeys.py."""

from dataclasses import replace

import pytest
from sqlalchemy import text, update

from app import config
from app.core.db import ALL, atomic, reading
from app.staff import lock, recovery
from app.staff.add import USERS
from tests.admin.desk import Desk, user
from tests.staff.people import app_of, code


@pytest.fixture
def guarded(app):
    """Somebody with an authenticator app: (address, secret, recovery codes, a desk where nobody is logged in)."""
    with app.app_context():
        with reading(ALL) as connection:
            number = connection.execute(text("SELECT count(*) FROM staff_users")).scalar_one()
        email = user("operator", email=f"guarded{number}@example.com", name="Gerda Gut")
        with reading(ALL) as connection:
            user_id = connection.execute(text("SELECT id FROM staff_users WHERE email = :e"), {"e": email}).scalar_one()
        secret = app_of(user_id)
        with atomic(ALL) as connection:
            codes = recovery.make(connection, user_id)
    return email, secret, codes, Desk(app.test_client())


def told(app, email):
    with app.app_context(), reading(ALL) as connection:
        query = text(
            "SELECT e.name, e.data FROM events e JOIN staff_users u ON u.id = e.subject_id WHERE u.email = :email"
            " ORDER BY e.id"
        )
        return [(row.name, row.data) for row in connection.execute(query, {"email": email})]


def test_after_the_password_the_app_is_asked_for(app, guarded):
    email, secret, _, desk = guarded
    page = desk.open("/admin/payments/?status=captured")
    half = desk.send(page, page.form("email"), email=email, password="ein-langes-passwort")
    assert half.path == "/admin/login/second"
    assert desk.open("/admin/payments/").path.startswith("/admin/login?"), "not in yet"
    half = desk.open("/admin/login/second")
    inside = desk.send(half, half.form("code"), code=code(secret, 1))
    assert inside.path == "/admin/payments/?status=captured"
    name, data = told(app, email)[-1]
    assert name == "staff.logged_in" and data["how"] == ["password", "totp"]


def test_a_code_that_was_used_is_refused_and_counts_for_nothing(app, guarded):
    email, secret, _, desk = guarded
    half = desk.log_in(email)
    again = desk.send(half, half.form("code"), code=code(secret))
    assert again.errors == ["This code was used already. Wait until the app shows the next one."]
    assert again.form("code").fields["code"] == ""
    assert "staff.login_failed" not in dict(told(app, email))


def test_a_recovery_code_gets_in_once(app, guarded):
    email, _, codes, desk = guarded
    half = desk.log_in(email)
    page = desk.open("/admin/login/second?recovery=1")
    inside = desk.send(page, page.form("recovery"), recovery=codes[0].upper())
    assert half.path == "/admin/login/second" and inside.path == "/admin/account/safety/"
    assert inside.notes[0].startswith("You used a recovery code; 9 are left.")
    second = Desk(app.test_client())
    second.log_in(email)
    page = second.open("/admin/login/second?recovery=1")
    wrong = second.send(page, page.form("recovery"), recovery=codes[0])
    assert wrong.errors == ["This recovery code is not right, or it was used already."]
    assert ("staff.login_failed", "recovery") in [(name, data.get("step")) for name, data in told(app, email)]


def test_wrong_codes_lock_like_wrong_passwords(app, guarded):
    email, secret, _, desk = guarded
    half = desk.log_in(email)
    for _ in range(lock.FREE_ATTEMPTS):
        half = desk.send(half, half.form("code"), code="000000")
        assert half.errors == ["This code is not right. Type the six digits that the app shows just now."]
    locked = desk.send(half, half.form("code"), code=code(secret, 1))
    assert locked.notes == ["Too many failed attempts. Wait 1 minute."]
    assert Desk(app.test_client()).log_in(email).notes == ["Too many wrong passwords. Wait 1 minute."]
    assert told(app, email)[-1][0] == "staff.locked_out"


def test_a_right_password_does_not_forget_wrong_codes(app, guarded):
    email, _, _, desk = guarded
    for _ in range(lock.FREE_ATTEMPTS):
        half = desk.log_in(email)
        desk.send(half, half.form("code"), code="000000")
    assert desk.log_in(email).notes == ["Too many wrong passwords. Wait 1 minute."]


def test_the_second_step_alone_is_no_way_in(app, guarded):
    email, _, _, desk = guarded
    assert desk.open("/admin/login/second").path == "/admin/login"
    desk.log_in(email)
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(update(USERS).where(USERS.c.email == email).values(active=False))
    assert desk.open("/admin/login/second").path == "/admin/login"


def test_an_unknown_passkey_is_refused(desk, app):
    stranger = Desk(app.test_client())
    page = stranger.open("/admin/login")
    form = page.form_to("/login/passkey")
    for credential in ("", "{}", "[", '{"rawId": "AAAA"}', '{"rawId": 7}'):
        page = stranger.send(page, form, credential=credential)
        assert page.path == "/admin/login"
        assert page.notes == ["The passkey was not accepted. Try again; if it fails once more, use another way."]
        form = page.form_to("/login/passkey")


@pytest.fixture
def second_factors(monkeypatch):
    """As in production: the roles that move money ask for a second factor."""
    monkeypatch.setattr("app.staff.second_factor.settings", lambda: replace(config.settings(), second_factors=True))


@pytest.mark.usefixtures("second_factors")
def test_who_needs_a_second_factor_sets_one_up_before_anything_else(app):
    with app.app_context():
        email = user("operator", email="must@example.com", name="Mona Muss")
    desk = Desk(app.test_client())
    page = desk.log_in(email)
    assert page.path == "/admin/account/safety/" and "A second factor first" in page.text
    for path in ("/admin/", "/admin/payments/", "/admin/account/password"):
        assert desk.open(path).path == "/admin/account/safety/"
    page = desk.open("/admin/account/authenticator/")
    shown = desk.send(page, page.form("sealed"), code="12")
    assert shown.errors == ["This code is not right. Type the six digits that the app shows just now."]
    secret = shown.html.partition('<code class="key">')[2].partition("<")[0].replace(" ", "")
    done = desk.send(shown, shown.form("sealed"), code=code(secret))
    assert "Your recovery codes" in done.text and done.html.count("<li><code>") == 10
    assert desk.open("/admin/payments/").path == "/admin/payments/"
    page = desk.open("/admin/account/authenticator/remove")
    kept = desk.send(page, page.own_form)
    assert kept.notes == ["Your role asks for a second factor, and this is your only one. Add another one first."]


@pytest.mark.usefixtures("second_factors")
def test_who_only_looks_needs_none(app):
    with app.app_context():
        email = user("support", email="looks@example.com")
    assert Desk(app.test_client()).log_in(email).path == "/admin/"
