"""The way of a mail to the server: retries, refusals, leases."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from app import config
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.merchants.add import SHOPS, change
from app.messages import send_mails as sending
from app.messages.send_mails import send_mails
from app.messages.smtp import BadSmtpUrl, NoMailServer, mail_server
from tests import factories
from tests.messages import steps
from tests.messages.steps import relay_all, time_passes

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def tenant(context, acquirers):
    relay_all()
    steps.nothing_waits()
    return factories.tenant(acquirers["A"], notify_email="shop@example.com", payer_receipts=True)


def test_a_mail_server_that_is_away_costs_nobody_an_attempt(tenant, mailbox, monkeypatch):
    _two_mails(tenant)
    settings = replace(config.settings(), smtp_url="smtp://127.0.0.1:1")
    with monkeypatch.context() as away:
        away.setattr("app.messages.send_mails.settings", lambda: settings)
        assert send_mails() == 0
    assert {(row["state"], row["attempts"]) for row in _rows(tenant)} == {("pending", 0)}
    time_passes(timedelta(seconds=31), tenant.merchant_id)
    assert send_mails() == 2


def test_a_refused_recipient_fails_and_the_others_are_sent(tenant, mailbox):
    mailbox.refuse["shop@example.com"] = "550 no such user"
    _two_mails(tenant)
    assert send_mails() == 1
    by_name = {row["name"]: row for row in _rows(tenant)}
    assert by_name["authorisation_succeeded"]["state"] == "failed"
    assert by_name["authorisation_succeeded"]["last_error"] == "SMTP 550"
    assert by_name["receipt"]["state"] == "sent" and by_name["receipt"]["sent_at"]


def test_not_now_is_tried_again_with_the_same_message_id(tenant, mailbox):
    mailbox.refuse["shop@example.com"] = "451 greylisted"
    _two_mails(tenant)
    send_mails()
    [waiting] = [row for row in _rows(tenant) if row["state"] == "pending"]
    assert waiting["attempts"] == 1 and waiting["due_at"] > now()
    mailbox.refuse.clear()
    time_passes(timedelta(seconds=15), tenant.merchant_id)
    assert send_mails() == 1
    assert mailbox.to("shop@example.com")[0]["Message-ID"].startswith(f"<{waiting['id'].hex}@")


def test_a_server_that_hangs_up_stops_the_round_and_the_mail_at_fault_does_not_come_first_for_ever(tenant, mailbox):
    _two_mails(tenant)
    mailbox.hang_up = True
    assert send_mails() == 0
    assert sorted(row["attempts"] for row in _rows(tenant)) == [0, 1]
    mailbox.hang_up = False
    time_passes(timedelta(seconds=31), tenant.merchant_id)
    assert send_mails() == 2


def test_it_is_given_up_after_72_hours(tenant, mailbox):
    mailbox.refuse["shop@example.com"] = "451 greylisted"
    _two_mails(tenant)
    send_mails()
    time_passes(timedelta(hours=73), tenant.merchant_id)
    send_mails()
    assert {row["state"] for row in _rows(tenant)} == {"sent", "failed"}


def test_an_address_that_no_server_could_read_fails_alone(tenant, mailbox):
    with atomic(ALL) as connection:
        change(connection, SHOPS, tenant.shop_id, {"notify_email": "not an address"}, noun="shop", actor="test")
    _two_mails(tenant)
    assert send_mails() == 1
    assert {row["state"] for row in _rows(tenant)} == {"sent", "failed"}


def test_two_workers_send_each_mail_once(tenant, mailbox, app):
    for _ in range(6):
        factories.authorised(tenant, shop_id=tenant.shop_id)
    relay_all()

    def work():
        with app.app_context():
            send_mails()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ids = [message["Message-ID"] for message in mailbox.messages]
    assert len(ids) == 12 and len(set(ids)) == 12


def test_a_dead_workers_mails_are_sent_when_its_lease_is_over(tenant, mailbox):
    _two_mails(tenant)
    assert len(sending._claim(20)) == 2  # a worker takes them, and dies
    assert send_mails() == 0
    time_passes(sending.LEASE, tenant.merchant_id)
    assert send_mails() == 2


def test_no_connection_is_opened_inside_a_transaction(mailbox):
    with pytest.raises(AssertionError), atomic(ALL), mail_server(mailbox.url):
        pass


@pytest.mark.parametrize("url", ["http://127.0.0.1", "smtp://", "smtp://user:secret@mail.example:25"])
def test_a_url_that_cannot_be_or_would_show_a_password_is_refused(url):
    with pytest.raises(BadSmtpUrl) as refusal, mail_server(url):
        pass
    assert "secret" not in str(refusal.value)


def test_a_server_without_tls_is_not_used_where_tls_was_asked_for(mailbox):
    with pytest.raises(NoMailServer), mail_server(mailbox.url.replace("smtp://", "starttls://")):
        pass
    with pytest.raises(NoMailServer), mail_server(mailbox.url.replace("smtp://", "smtps://")):
        pass


def _two_mails(tenant):
    """One to the shop, one to the payer."""
    factories.authorised(tenant, shop_id=tenant.shop_id)
    relay_all()


def _rows(tenant):
    with reading(ALL) as connection:
        rows = connection.execute(
            text("SELECT * FROM mails WHERE merchant_id = :id ORDER BY id"), {"id": tenant.merchant_id}
        )
        return [dict(row) for row in rows.mappings()]
