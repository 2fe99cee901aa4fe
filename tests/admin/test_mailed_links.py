"""Invitations and forgotten passwords, from the mail to the log-in."""

import time

import pytest
from sqlalchemy import text

from app.core.db import ALL, reading
from app.core.ids import public_id
from tests.admin.desk import PASSWORD, Desk, user
from tests.staff.people import app_of, letters

NEW = "drei blaue ziegen singen"


@pytest.fixture
def stranger(app):
    return Desk(app.test_client())


@pytest.fixture
def link_to(app):
    """The path of the newest link mailed to an address."""

    def find(email):
        with app.app_context():
            return "/admin/" + letters(email)[-1][1]["link"].partition("/admin/")[2]

    return find


@pytest.fixture
def member(app):
    with app.app_context():
        with reading(ALL) as connection:
            number = connection.execute(text("SELECT count(*) FROM staff_users")).scalar_one()
        return user("support", email=f"member{number}@example.com", name="Mia Merk")


def test_somebody_invited_sets_a_password_and_logs_in(desk, stranger, link_to):
    page = desk.open("/admin/users/add")
    form = page.form("email")
    added = desk.send(page, form, email="Nora@Example.com", name="Nora Neu", roles=["support"], language="en")
    assert added.notes == ["The invitation is on its way. It is valid for 72 hours."]
    assert "Send the invitation again" in added.text
    page = stranger.open(link_to("nora@example.com"))
    assert "Nora Neu, choose a password" in page.text
    weak = stranger.send(page, page.form("password", "again"), password="Sommer2026!!", again="Sommer2026!!")
    assert weak.errors[0].startswith("This password is easily guessed")
    done = stranger.send(weak, weak.form("password", "again"), password=NEW, again=NEW)
    assert done.path == "/admin/login" and done.notes == ["Your password is set. Log in with it."]
    assert stranger.log_in("nora@example.com", NEW).path == "/admin/"
    assert "Send the invitation again" not in desk.open(added.path).text


def test_the_page_of_an_invitation_speaks_the_language_of_whoever_is_invited(desk, stranger, link_to):
    page = desk.open("/admin/users/add")
    desk.send(page, page.form("email"), email="jan@example.com", name="Jan", roles=["support"], language="de")
    assert "wählen Sie ein Passwort" in stranger.open(link_to("jan@example.com")).text


def test_a_forgotten_password_is_set_anew_and_sessions_end(app, member, stranger, link_to):
    theirs = Desk(app.test_client())
    theirs.log_in(member)
    page = stranger.open("/admin/login")
    page = stranger.open("/admin/forgotten")
    sent = stranger.send(page, page.form("email"), email=member)
    assert "If there is an account with this address" in sent.text
    path = link_to(member)
    page = stranger.open(path)
    stranger.send(page, page.form("password", "again"), password=NEW, again=NEW)
    assert theirs.open("/admin/payments/").path.startswith("/admin/login")
    assert stranger.log_in(member, PASSWORD).notes == ["E-mail address or password is wrong."]
    assert stranger.log_in(member, NEW).path == "/admin/"
    used = Desk(app.test_client()).open(path)
    assert used.status == 410 and "This link does not work any more." in used.text


def test_nobody_learns_whose_address_it_is(member, stranger):
    answers, seconds = [], []
    for email in (member, "nobody@example.com"):
        page = stranger.open("/admin/forgotten")
        begun = time.monotonic()
        answers.append(stranger.send(page, page.form("email"), email=email).text)
        seconds.append(time.monotonic() - begun)
    assert answers[0] == answers[1]
    assert min(seconds) >= 0.3, "both wait for the same moment"


@pytest.mark.parametrize("path", ["reset/x", "reset/lnk_00000000000000000000000000.0", "invite/lnk_x.y", "invite/."])
def test_a_link_that_is_none_of_ours_has_ended(stranger, path):
    assert stranger.open(f"/admin/{path}").status == 410


def test_an_administrator_sends_a_link_ends_sessions_and_removes_a_lost_factor(app, desk, member, link_to):
    theirs = Desk(app.test_client())
    theirs.log_in(member)
    with app.app_context():
        with reading(ALL) as connection:
            user_id = connection.execute(
                text("SELECT id FROM staff_users WHERE email = :e"), {"e": member}
            ).scalar_one()
        app_of(user_id)
    path = f"/admin/users/{public_id('usr', user_id)}"
    page = desk.open(path)
    desk.send(page, page.form_to("/reset"))
    assert link_to(member).startswith("/admin/reset/")
    page = desk.open(path)
    assert desk.send(page, page.form_to("/sessions")).notes == ["Every session of this user has ended."]
    assert theirs.open("/admin/").path.startswith("/admin/login")
    assert theirs.log_in(member).path == "/admin/login/second"
    page = desk.open(f"{path}/factor")
    removed = desk.send(page, page.own_form)
    assert removed.notes == ["The second factor is removed; every session of this user has ended."]
    assert theirs.open("/admin/login/second").path == "/admin/login", "the half log-in ended too"
    assert theirs.log_in(member).path == "/admin/"


def test_ones_own_sessions_are_listed_and_ended(app, member):
    here, there, third = (Desk(app.test_client()) for _ in range(3))
    for desk in (here, there, third):
        desk.log_in(member)
    page = here.open("/admin/account/safety/")
    assert page.text.count("last seen") == 3 and page.text.count("this one") == 1
    ended = here.send(page, next(one for one in page.forms if "/sessions/ses_" in one.action))
    assert ended.notes[0] == "The session has ended."
    assert ended.text.count("last seen") == 2
    rest = here.send(ended, ended.form_to("/sessions/end"))
    assert rest.notes[0] == "1 session has ended."
    assert [desk.open("/admin/").path.startswith("/admin/login") for desk in (here, there, third)] == [
        *(False, True, True),
    ]
