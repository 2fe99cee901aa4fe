"""Notes on payments: written, read, never changed, gone with the customer."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.core.db import ALL, atomic, of, reading
from app.core.errors import NotFound
from app.core.idempotency import Once, Repeated
from app.customers.add import add_customer
from app.customers.erase import erase
from app.payments import note as noting
from app.payments.note import TooManyNotes, note, of_payment
from jobs import forget
from tests import factories
from tests.books import told


def write(tenant, done, said="Called: wants the rest later", **more):
    with atomic(of(tenant.merchant_id, False)) as connection:
        return note(connection, done.payment["id"], said=said, actor="staff:x", **more)


def read(done):
    with reading(ALL) as connection:
        return [(one["said"], one["written_by"]) for one in of_payment(connection, done.payment["id"])]


def test_a_note_is_kept_sealed_and_told_without_its_text(tenant):
    done = factories.authorised(tenant)
    write(tenant, done, "first")
    write(tenant, done, "second")
    assert read(done) == [("second", "staff:x"), ("first", "staff:x")]
    assert told(done.payment["id"])[-2:] == ["payment.noted"] * 2
    with reading(ALL) as connection:
        events = connection.execute(text("SELECT data::text FROM events WHERE name = 'payment.noted'")).scalars()
        assert not any("first" in data for data in events)
        sealed = connection.execute(text("SELECT sealed FROM payment_notes")).scalars()
        assert not any(b"first" in bytes(one) for one in sealed)


def test_sent_twice_it_stands_there_once(tenant):
    done, once = factories.authorised(tenant), Once("form:1", "note", b"x")
    write(tenant, done, once=once)
    with pytest.raises(Repeated):
        write(tenant, done, once=once)
    assert len(read(done)) == 1


def test_nobody_changes_who_wrote_it_or_takes_it_away(tenant):
    done = factories.authorised(tenant)
    write(tenant, done)
    for statement in ("UPDATE payment_notes SET written_by = 'me'", "DELETE FROM payment_notes"):
        with pytest.raises(ProgrammingError, match="permission denied"), atomic(ALL) as connection:
            connection.execute(text(statement))


def test_another_merchants_payment_is_not_there(tenant, acquirers):
    theirs = factories.authorised(factories.tenant(acquirers["A"]))
    with pytest.raises(NotFound):
        write(tenant, theirs)


def test_there_is_an_end_to_it(tenant, monkeypatch):
    monkeypatch.setattr(noting, "MOST", 1)
    done = factories.authorised(tenant)
    write(tenant, done)
    with pytest.raises(TooManyNotes):
        write(tenant, done)


def test_what_was_noted_goes_with_the_customer(tenant):
    with atomic(of(tenant.merchant_id, False)) as connection:
        columns = {"name": "Erika"}
        customer = add_customer(connection, merchant_id=tenant.merchant_id, live=False, actor="test", columns=columns)
    theirs, other = factories.authorised(tenant, customer_id=customer["id"]), factories.authorised(tenant)
    write(tenant, theirs, "Erika called")
    write(tenant, other, "stays")
    with atomic(of(tenant.merchant_id, False)) as connection:
        erase(connection, customer_id=customer["id"], actor="test")
    assert read(theirs) == [(None, "staff:x")]
    assert read(other) == [("stays", "staff:x")]


def test_notes_go_when_claims_have_lapsed(tenant):
    done = factories.authorised(tenant)
    write(tenant, done)
    (kept,) = (one for one in forget.KEPT if "payment_notes" in one.sql)
    year = done.payment["created_at"].year
    with time_machine.travel(datetime(year + 3, 12, 31, 12, tzinfo=UTC)):
        forget.forget(kept, 100)
    assert read(done)[0][0] is not None
    with time_machine.travel(datetime(year + 4, 1, 1, 12, tzinfo=UTC)):
        forget.forget(kept, 100)
    assert read(done) == [(None, "staff:x")]
