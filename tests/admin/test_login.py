"""Logging in and out of the back office."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.staff import lock
from app.staff.add import USERS
from tests.admin.desk import PASSWORD, Desk, user


@pytest.fixture
def newcomer(app):
    """A user of this test alone, and a desk where nobody is logged in."""
    with app.app_context(), reading(ALL) as connection:
        number = connection.execute(text("SELECT count(*) FROM staff_users")).scalar_one()
    with app.app_context():
        return user("operator", email=f"new{number}@example.com", name="Nele Neu"), Desk(app.test_client())


def row(app, email):
    with app.app_context(), reading(ALL) as connection:
        return connection.execute(select(USERS).where(USERS.c.email == email)).mappings().one()


def told(app):
    with app.app_context(), reading(ALL) as connection:
        return list(connection.execute(text("SELECT name FROM events WHERE name LIKE 'staff.%' ORDER BY id")).scalars())


def test_a_user_logs_in_with_address_and_password(app, newcomer):
    email, desk = newcomer
    page = desk.log_in(email.upper())
    assert page.path == "/admin/"
    assert "Nele Neu" in page.text
    assert row(app, email)["login_count"] == 1
    assert told(app)[-1] == "staff.logged_in"


def test_a_wrong_password_says_no_more_than_an_unknown_address(newcomer):
    email, desk = newcomer
    wrong = desk.log_in(email, "not the password")
    unknown = desk.log_in("nobody@example.com", "not the password")
    assert wrong.notes == unknown.notes == ["E-mail address or password is wrong."]
    assert wrong.form("email").fields["email"] == email
    assert wrong.form("password").fields["password"] == ""


def test_a_deactivated_account_looks_like_a_wrong_password(app, newcomer):
    email, desk = newcomer
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(update(USERS).where(USERS.c.email == email).values(active=False))
    assert desk.log_in(email).notes == ["E-mail address or password is wrong."]


def test_an_empty_form_says_what_is_missing_at_each_field(newcomer):
    _, desk = newcomer
    page = desk.log_in("", "")
    assert page.errors == ["Type your e-mail address.", "Type your password."]
    assert page.title.startswith("Error:")


@pytest.mark.parametrize("email", [None, "ghost@example.com"], ids=["known", "unknown"])
def test_after_five_wrong_passwords_even_the_right_one_waits(newcomer, email):
    known, desk = newcomer
    email = email or known
    for _ in range(lock.FREE_ATTEMPTS):
        assert desk.log_in(email, "wrong").notes == ["E-mail address or password is wrong."]
    locked = desk.log_in(email, PASSWORD)
    assert locked.notes == ["Too many wrong passwords. Wait 1 minute."]
    assert locked.path == "/admin/login"


def test_the_wait_ends_and_a_log_in_forgets_the_failures(app, newcomer):
    email, desk = newcomer
    with app.app_context(), atomic(ALL) as connection:
        over = now() - timedelta(seconds=1)
        connection.execute(update(USERS).where(USERS.c.email == email).values(failed_logins=7, locked_until=over))
    assert desk.log_in(email).path == "/admin/"
    assert row(app, email)["failed_logins"] == 0


def test_the_wait_doubles_up_to_an_hour():
    minutes = [lock.wait_after(failures) for failures in range(4, 13)]
    assert [wait and wait.total_seconds() / 60 for wait in minutes] == [None, 1, 2, 4, 8, 16, 32, 60, 60]


def test_one_network_address_has_a_limited_number_of_wrong_guesses(newcomer, monkeypatch):
    email, desk = newcomer
    monkeypatch.setattr(lock, "_ADDRESS_ATTEMPTS", 2)
    for number in range(2):
        assert desk.log_in(f"guess{number}@example.com").notes == ["E-mail address or password is wrong."]
    assert desk.log_in(email).notes == ["Too many attempts from your network. Wait ten minutes."]


def test_a_log_in_goes_on_to_the_page_that_was_asked_for(newcomer):
    email, desk = newcomer
    page = desk.open("/admin/payments/?status=captured")
    assert page.path.startswith("/admin/login?next=")
    after = desk.send(page, page.form("email"), email=email, password=PASSWORD)
    assert after.path == "/admin/payments/?status=captured"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "///evil.example", "javascript:alert(1)"]
)
def test_a_log_in_never_goes_on_to_another_site(newcomer, target):
    email, desk = newcomer
    page = desk.open("/admin/login")
    answer = desk.ask(
        f"/admin/login?next={target}",
        "POST",
        data={**page.form("email").fields, "email": email, "password": PASSWORD, "next": target},
    )
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/admin/"


def test_logging_out_ends_the_session(newcomer):
    email, desk = newcomer
    page = desk.log_in(email)
    desk.send(page, page.form_to("/admin/logout"))
    assert desk.open("/admin/payments/").path.startswith("/admin/login")


def test_logging_out_needs_a_form_of_ours(newcomer):
    email, desk = newcomer
    desk.log_in(email)
    assert desk.ask("/admin/logout", "POST").status_code == 400
    assert desk.ask("/admin/logout", "GET").status_code == 405
    assert desk.open("/admin/payments/").status == 200


def test_a_user_who_is_deactivated_is_out_at_once(app, newcomer):
    email, desk = newcomer
    desk.log_in(email)
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(update(USERS).where(USERS.c.email == email).values(active=False))
    assert desk.open("/admin/payments/").path.startswith("/admin/login")


def test_the_session_cookie_stays_with_the_back_office(newcomer):
    email, desk = newcomer
    page = desk.open("/admin/login")
    answer = desk.ask("/admin/login", "POST", data={**page.form("email").fields, "email": email, "password": PASSWORD})
    cookies = answer.headers.getlist("Set-Cookie")
    assert sorted(cookie.partition("=")[0] for cookie in cookies) == ["zahlwerk_device", "zahlwerk_staff"]
    for cookie in cookies:
        assert {"HttpOnly", "Path=/admin", "SameSite=Lax"} <= set(cookie.split("; "))


def test_there_is_no_log_in_that_outlives_its_session(newcomer):
    email, desk = newcomer
    page = desk.open("/admin/login")
    fields = {**page.form("email").fields, "email": email, "password": PASSWORD, "remember": "y"}
    answer = desk.ask("/admin/login", "POST", data=fields)
    assert not [value for value in answer.headers.getlist("Set-Cookie") if "remember" in value]


def test_the_log_in_speaks_the_browsers_language_or_the_one_chosen(app):
    desk = Desk(app.test_client())
    german = desk.ask("/admin/login", headers={"Accept-Language": "de-AT,de;q=0.9"}).get_data(as_text=True)
    assert '<html lang="de">' in german and "Anmelden" in german
    page = desk.open("/admin/login")
    assert page.title.startswith("Log in")
    chosen = desk.send(page, page.form_to("/admin/language"), language="de")
    assert chosen.title.startswith("Anmelden")


def test_a_log_in_with_an_unknown_address_is_told_without_what_was_typed(app, newcomer):
    _, desk = newcomer
    desk.log_in("hunter2@example.com", "a guess")
    with app.app_context(), reading(ALL) as connection:
        query = text(
            "SELECT e.actor, e.data, d.body, e::text AS whole FROM events e JOIN event_details d ON d.event_id = e.id"
            " WHERE e.name = 'access.login_failed' ORDER BY e.id DESC LIMIT 1"
        )
        row = connection.execute(query).one()
    said = row.actor, row.data, row.body["ip_address"]
    assert said == ("staff:unknown", {"failures": 1, "step": "password"}, "127.0.0.1")
    assert "hunter2" not in row.whole and "hunter2" not in str(row.body)
