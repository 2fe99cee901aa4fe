"""Proofs that do not hold are told to staff; the newest seal goes out to the log."""

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.core.db import ALL, atomic, reading
from app.messages.relay import relay
from app.payments.capture import capture
from jobs import prove_books, seal_out
from tests import factories

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


def _told():
    with reading(ALL) as connection:
        return connection.execute(text("SELECT * FROM events WHERE name = 'books.unproved' ORDER BY id")).all()
