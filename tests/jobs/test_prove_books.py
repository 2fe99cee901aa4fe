"""Proofs that do not hold are told to staff; the newest seal goes out to the log."""

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.config import settings
from app.core.db import ALL, atomic, reading
from app.core.events import tell
from app.core.ids import uuid7
from app.messages import letter
from app.messages.relay import relay
from app.payments.capture import capture
from jobs import prove_books, seal_out
from tests import factories
from tests.staff.people import letters, row, somebody

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def payment(context, acquirers):
    tenant = factories.tenant(acquirers["A"])
    done = factories.authorised(tenant, 10_000)
    capture(merchant_id=tenant.merchant_id, live=False, payment_id=done.payment["id"], actor="test")
    return done.payment


def test_books_that_are_right_are_told_to_nobody(payment):
    before = _told()
    assert prove_books.run(100).endswith("proofs hold")
    assert _told() == before


def test_a_payment_that_says_more_than_the_books_is_found_and_told(payment):
    change = "UPDATE payments SET captured = captured {} 1, over_captured = over_captured {} 1 WHERE id = :id"
    with atomic(ALL) as connection:
        connection.execute(text(change.format("+", "+")), {"id": payment["id"]})
    try:
        with capture_logs() as logs:
            assert "books_equal_payments" in prove_books.run(100)
    finally:
        with atomic(ALL) as connection:
            connection.execute(text(change.format("-", "-")), {"id": payment["id"]})
    [event] = _told()[-1:]
    assert event.audience == "staff" and str(payment["id"]) in str(event.data["proofs"]["books_equal_payments"])
    assert ("books_unproved", "error") in [(line["event"], line["log_level"]) for line in logs]


def test_the_newest_seal_is_logged(payment):
    while relay():
        pass
    with reading(ALL) as connection:
        last = connection.execute(text("SELECT position, seal FROM event_log ORDER BY position DESC LIMIT 1")).one()
    with capture_logs() as logs:
        assert seal_out.run(100) == f"{last.position}:{last.seal.hex()}"
    assert [line["seal"] for line in logs] == [last.seal.hex()]


def test_an_alarm_is_mailed_to_the_auditor_and_to_staff_who_may_see_it_and_to_nobody_else(context, monkeypatch):
    monkeypatch.setenv("AUDITOR_EMAIL", "auditor@example.com")
    settings.cache_clear()
    people = [somebody("admin", language="de"), somebody("capture_desk")]
    try:
        with atomic(ALL):
            about = {"audience": "staff", "actor": "job:verify_scripts", "merchant_id": None, "live": None}
            data = {"found": ["a form is sent elsewhere: https://evil.example"]}
            tell("scripts.changed", subject=("scripts", uuid7()), data=data, **about)
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    admin, other = (row(one)["email"] for one in people)
    for address in ("auditor@example.com", admin):
        [(name, facts)] = [one for one in letters(address) if one[0] == "alarm"]
        assert facts["found"] == ["a form is sent elsewhere: https://evil.example"]
        for language in ("de", "en"):
            content = {"to": address, "role": "staff", "language": language, "shop_id": None, "facts": facts}
            message = letter.write(uuid7(), name, content, None)
            assert message["Subject"] in (
                "The checkout is not as the inventory says",
                "Die Bezahlseite ist nicht, wie das Verzeichnis sagt",
            )
            assert all("evil.example" in part.get_content() for part in message.iter_parts())
    assert [one for one in letters(other) if one[0] == "alarm"] == []


def _told():
    with reading(ALL) as connection:
        return connection.execute(text("SELECT * FROM events WHERE name = 'books.unproved' ORDER BY id")).all()
