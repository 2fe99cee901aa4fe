"""Mails to the staff: in their language, with a link that works, forgotten like the others."""

import re

import pytest
from sqlalchemy import text

from app.core.db import ALL, atomic, of, reading
from app.core.ids import public_id, uuid7
from app.core.origin import came_from
from app.messages.send_mails import send_mails
from app.staff import links, recovery, second_factor, sessions
from app.staff.change import change_roles
from app.staff.forgotten import ask_reset
from app.staff.invite import invite
from app.staff.sessions import Device
from tests.messages import steps
from tests.staff.people import app_of, somebody
from tools.translations import compile_

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(autouse=True)
def _nothing_else(context):
    compile_()
    steps.nothing_waits()


def sent_to(mailbox, email):
    send_mails()
    return mailbox.to(email)


def body(message, kind="plain"):
    return message.get_body((kind,)).get_content()


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        ("de", "Ihr Zugang zum Backoffice von Zahlwerk", "Er gilt 72 Stunden"),
        ("en", "Your access to Zahlwerk's back office", "It is valid for 72 hours"),
    ],
)
def test_an_invitation_leads_to_the_page_that_sets_a_password(mailbox, language, subject, said):
    email = f"{language}-{uuid7().hex[-8:]}@example.com"
    with atomic(ALL) as connection:
        invite(connection, email=email, roles=["support"], actor="test", name="Nora <Neu>", language=language)
    (message,) = sent_to(mailbox, email)
    assert message["Subject"] == subject
    assert said in body(message) and said in body(message, "html")
    assert "Nora &lt;Neu&gt;" in body(message, "html") and "Nora <Neu>" in body(message)
    token = re.search(r"/admin/invite/(\S+)", body(message))
    assert token
    with reading(ALL) as connection:
        assert links.read(connection, token.group(1), "invitation").email == email
    assert "List-Id" not in message and message["Auto-Submitted"] == "auto-generated"


def test_whoever_forgot_the_password_gets_a_link(mailbox):
    email = f"{uuid7().hex[-8:]}@example.com"
    somebody(email=email, language="en")
    ask_reset(email)
    (message,) = sent_to(mailbox, email)
    assert "/admin/reset/lnk_" in body(message) and "30 minutes" in body(message)


def test_a_log_in_on_a_new_device_says_where_it_came_from(mailbox):
    email = f"{uuid7().hex[-8:]}@example.com"
    user_id = somebody(email=email, language="en")
    came_from({"ip_address": "192.0.2.9", "device": "Firefox, Windows"})
    for _ in range(2):
        sessions.begin(user_id, Device(uuid7(), "Firefox, Windows", "192.0.2.9"), ["password"])
    came_from({})
    (message,) = sent_to(mailbox, email)
    assert message["Subject"] == "Log-in from a new device"
    assert "Firefox, Windows" in body(message) and "192.0.2.9" in body(message)


def test_changes_of_second_factors_are_told(mailbox):
    email = f"{uuid7().hex[-8:]}@example.com"
    user_id = somebody(email=email, language="en")
    app_of(user_id)
    with atomic(ALL) as connection:
        recovery.use(connection, user_id, recovery.make(connection, user_id)[0])
    came_from({"ip_address": "192.0.2.200"})
    with atomic(ALL) as connection:
        second_factor.remove_all(connection, user_id, actor=f"staff:{public_id('usr', uuid7())}")
    came_from({})
    messages = sent_to(mailbox, email)
    assert "192.0.2.200" not in body(messages[-1]), "where an administrator sits"
    assert [message["Subject"] for message in messages] == [
        "An authenticator app was set up",
        "New recovery codes were made",
        "A recovery code was used",
        "An administrator removed your second factor",
    ]


def test_changed_rights_are_told(mailbox):
    email = f"{uuid7().hex[-8:]}@example.com"
    user_id = somebody(email=email, language="en")
    with atomic(ALL) as connection:
        change_roles(connection, user_id, ["accountant"], actor=f"staff:{public_id('usr', uuid7())}")
    (message,) = sent_to(mailbox, email)
    assert message["Subject"] == "What you may do was changed"


def test_no_merchant_sees_mails_to_the_staff():
    email = f"{uuid7().hex[-8:]}@example.com"
    with atomic(ALL) as connection:
        invite(connection, email=email, roles=["support"], actor="test")
    query = text("SELECT count(*) FROM mails WHERE merchant_id IS NULL")
    with reading(ALL) as connection:
        assert connection.execute(query).scalar_one() > 0
    with reading(of(uuid7(), True)) as connection:
        assert connection.execute(query).scalar_one() == 0
