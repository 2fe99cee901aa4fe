"""Invitations and links for a new password."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text

from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.ids import uuid7
from app.staff import links
from app.staff.change import set_active
from app.staff.common_passwords import CommonPassword
from app.staff.forgotten import ask_reset
from app.staff.invite import AccountOff, invite, send_again
from app.staff.links import LinkEnded
from tests.staff.people import letters, row, somebody, told

pytestmark = pytest.mark.usefixtures("context")

NEW = "drei blaue ziegen singen"


def invited(**more):
    email = f"{uuid7().hex[-12:]}@example.com"
    with atomic(ALL) as connection:
        return invite(connection, email=email, roles=["support"], actor="staff:usr_boss", **more), email


def token_in(email):
    return letters(email)[-1][1]["link"].rpartition("/")[2]


def spend(token, purpose="reset", password=NEW):
    with atomic(ALL) as connection:
        return links.set_password_by(connection, token, purpose, password)


def works(token, purpose):
    try:
        with reading(ALL) as connection:
            links.read(connection, token, purpose)
    except LinkEnded:
        return False
    return True


def test_somebody_invited_gets_a_link_and_sets_the_password_with_it():
    user_id, email = invited(name="Nora Neu", language="en")
    assert [name for name, _ in letters(email)] == ["staff_invitation"]
    assert spend(token_in(email), "invitation").user_id == user_id
    assert told(user_id) == [
        *("staff.added", "staff.invited", "staff.password_changed", "staff.invitation_accepted"),
    ]
    assert len(letters(email)) == 1, "the first password is no news"


def test_neither_event_nor_table_holds_what_opens_the_link():
    _, email = invited()
    signature = token_in(email).partition(".")[2]
    with reading(ALL) as connection:
        rows = connection.execute(text("SELECT e.data::text || l::text FROM events e, staff_links l")).scalars()
        assert not [one for one in rows if signature in one]
    assert len(signature) == 32


def test_a_link_works_once():
    _, email = invited()
    spend(token_in(email), "invitation")
    with pytest.raises(LinkEnded):
        spend(token_in(email), "invitation")


def test_a_password_that_is_refused_does_not_spend_the_link():
    _, email = invited()
    with pytest.raises(CommonPassword):
        spend(token_in(email), "invitation", "Passwort2026!")
    assert works(token_in(email), "invitation")


@pytest.mark.parametrize(("purpose", "lasts"), [("invitation", timedelta(hours=72)), ("reset", timedelta(minutes=30))])
def test_a_link_lasts_so_long(purpose, lasts):
    email = f"{uuid7().hex[-8:]}@example.com"
    user_id = somebody(email=email)
    with atomic(ALL) as connection:
        links.send(connection, user_id, purpose, actor=None)
    with time_machine.travel(now() + lasts - timedelta(seconds=5)):
        assert works(token_in(email), purpose)
    with time_machine.travel(now() + lasts + timedelta(seconds=5)):
        assert not works(token_in(email), purpose)


def test_a_newer_link_ends_the_older():
    user_id, email = invited()
    old = token_in(email)
    with atomic(ALL) as connection:
        send_again(connection, user_id, "invitation", actor="staff:usr_boss")
    assert not works(old, "invitation") and works(token_in(email), "invitation")


def test_links_are_for_one_purpose_and_cannot_be_made_up():
    _, email = invited()
    token = token_in(email)
    public, _, signature = token.partition(".")
    for wrong in ("", "x", public, f"{public}.", f"{public}.{signature[:-1]}0x", f"lnk_x.{signature}", f"{public}.ü"):
        assert not works(wrong, "invitation")
    assert not works(token, "reset")


def test_a_reset_ends_every_session_and_lifts_the_lock():
    email = f"{uuid7().hex[-8:]}@example.com"
    user_id = somebody(email=email)
    before = row(user_id)
    ask_reset(f" {email.upper()} ")
    spend(token_in(email))
    after = row(user_id)
    assert after["fs_uniquifier"] != before["fs_uniquifier"] and after["password"] != before["password"]
    assert told(user_id)[-2:] == ["staff.reset_asked", "staff.password_changed"]


def test_nobody_gets_more_than_three_mails_an_hour_and_strangers_none():
    email = f"{uuid7().hex[-8:]}@example.com"
    user_id = somebody(email=email)
    for _ in range(5):
        ask_reset(email)
    assert len(letters(email)) == 3
    assert told(user_id).count("staff.reset_asked") == 3
    ask_reset("nobody@example.com")
    assert letters("nobody@example.com") == []


def test_a_deactivated_account_gets_no_link():
    email = f"{uuid7().hex[-8:]}@example.com"
    user_id = somebody(email=email)
    with atomic(ALL) as connection:
        set_active(connection, user_id, False, actor="test")
    ask_reset(email)
    assert letters(email) == []
    with pytest.raises(AccountOff), atomic(ALL) as connection:
        send_again(connection, user_id, "reset", actor="test")


def test_nobody_ends_an_invitation_by_asking_for_a_new_password():
    user_id, email = invited()
    invitation = token_in(email)
    ask_reset(email)
    assert works(invitation, "invitation") and len(letters(email)) == 1
    assert "staff.reset_asked" not in told(user_id)
    spend(invitation, "invitation")
    ask_reset(email)
    assert works(token_in(email), "reset")
