"""What a provider told is read again until it is booked; one bad message holds up no other, and staff are told."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from app.connectors.kinds import NewsRefused
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.ids import public_id, uuid7
from app.merchants import contracts
from app.merchants.add import CONTRACTS, change
from app.payments import news
from app.payments.refund import refund
from app.payments.resolve import resolve
from sandbox.acquirers import dialects
from sandbox.acquirers.letters import LETTERS
from sandbox.acquirers.news import signature
from tests import factories
from tests.books import booked, broken_proofs, told

AGAIN_AFTER_MINUTES = [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
LETTER = LETTERS["A"]


def test_what_fitted_nothing_is_read_again_with_ever_longer_pauses(tenant):
    message = _told(tenant)
    begun = now()
    news.read(message)
    read_at = []
    for minutes in (0, *(late - early for late in AGAIN_AFTER_MINUTES for early in (0.1, -0.1)), 10_000):
        before = _kept(message).attempts
        _retry(begun, minutes)
        if _kept(message).attempts > before:
            read_at.append(round(minutes, 1))
    assert read_at == [late + 0.1 for late in AGAIN_AFTER_MINUTES]


def test_news_that_fits_nothing_is_kept_and_told_to_staff_once(tenant):
    message = _told(tenant)
    begun = now()
    news.read(message)
    for minutes in (1, 3, 5):
        _retry(begun, minutes)
    assert (_kept(message).state, _kept(message).attempts) == ("unmatched", 4)
    [event] = _events(message)
    assert (event.name, event.audience, event.data["provider"]) == ("news.unmatched", "staff", "sandbox_card")
    assert event.data["news"] == [_kept(message).error]


def test_news_is_booked_hours_after_it_was_signed(tenant, acquirers):
    """Signatures are fresh for five minutes. It was, when it came; what it was about we did not know yet."""
    done = factories.authorised(tenant, 26_611, card=factories.card("no_answer"))
    [did] = acquirers["A"].did(done="authorised", amount=26_611)
    message = _told(tenant, kind="capture", amount=5_000, authorisation=did["id"])
    news.read(message)
    assert _kept(message).state == "unmatched"
    resolve(done.operation["id"], merchant_id=tenant.merchant_id, live=False)
    _retry(now(), 240)
    assert _kept(message).state == "read"
    assert factories.fresh(done)["captured"] == 5_000
    assert told(done.payment["id"]).count("capture.succeeded") == 1
    assert booked(done.payment["id"]) == {"provider_balance": 5_000, "payer_clearing": -5_000}
    assert broken_proofs() == {}


def test_one_that_cannot_be_read_holds_up_no_other_and_is_told_to_staff_once(act, tenant):
    done = factories.captured(tenant, 10_000)
    waiting = refund(**act, payment_id=done.payment["id"], amount=6_607)
    bad = _told(tenant)
    with atomic(ALL) as connection:  # nobody can open it any more
        connection.execute(text("UPDATE inbox SET sealed = :x WHERE id = :id"), {"x": b"\x09nonsense", "id": bad})
    good = _told(tenant, amount=6_607, key=public_id("op", waiting.operation["id"]), authorisation=None)
    begun = now()
    for minutes in (0, 1, 2, 3, 5):
        _retry(begun, minutes)
    assert (_kept(bad).state, _kept(bad).attempts, _kept(bad).error) == ("received", 5, "CannotOpen")
    [event] = _events(bad)
    assert (event.name, event.audience, event.data["why"]) == ("news.not_read", "staff", "CannotOpen")
    assert _kept(good).state == "read"
    assert factories.fresh(done)["refunded"] == 6_607


def test_a_fact_that_cannot_be_booked_holds_up_no_other_of_its_message(tenant, databases):
    """A capture and the rest that it released; the books take nothing, and letting go needs no books."""
    done = factories.authorised(tenant, 10_000)
    reference = factories.authorisation_of(done)["provider_reference"]
    message = _told(tenant, kind="capture", amount=4_000, authorisation=reference, released=6_000)
    with _books_that_take_nothing(databases), pytest.raises(DBAPIError):
        news.read(message)
    payment = factories.fresh(done)
    assert (payment["captured"], payment["cancelled"]) == (0, 6_000)
    assert (_kept(message).state, _kept(message).attempts) == ("received", 1)


def test_a_message_that_was_taken_and_is_refused_later_is_told_to_staff(tenant):
    message = _told(tenant)
    begun = now()
    news.read(message)
    with atomic(ALL) as connection:
        secrets = {"url": "http://127.0.0.1:1", "api_key": "another", "news_secret": "another"}
        sealed = {"settings_sealed": contracts.sealed_settings("sandbox_card", secrets)}
        change(connection, CONTRACTS, tenant.contract_id, sealed, noun="contract", actor="test")
    _retry(begun, 1)
    assert _kept(message).state == "refused"
    assert [event.name for event in _events(message)] == ["news.unmatched", "news.refused_later"]


def test_a_message_that_was_refused_is_read_when_it_comes_again_rightly_signed(tenant):
    """The merchant had typed in the wrong secret; the provider repeats what was refused."""
    done = factories.captured(tenant, 10_000)
    more = {"kind": "refund", "amount": 2_500, "authorisation": factories.authorisation_of(done)["provider_reference"]}
    fact = _fact(**more)
    first = _received(tenant, fact, secret="the wrong one")
    with pytest.raises(NewsRefused):
        news.read(first)
    assert (_kept(first).state, _events(first)) == ("refused", [])
    again = _received(tenant, fact)
    assert again == first
    news.read(again)
    assert _kept(again).state == "read"
    assert factories.fresh(done)["refunded"] == 2_500


def _fact(**more):
    fact = {"kind": "refund", "status": "approved", "amount": 100, "currency": "EUR", "id": f"portal-{uuid7()}"}
    known = {"news": f"n-{uuid7()}", "authorisation": "a-of-nobody", "occurred_at": int(time.time())}
    return {name: value for name, value in {**fact, **known, **more}.items() if value is not None}


def _told(tenant, **more):
    """A notification as acquirer A would send it just now; about nobody's authorisation unless told otherwise."""
    return _received(tenant, _fact(**more))


def _received(tenant, fact, *, secret=LETTER.news_secret):
    _, body = dialects.encode(LETTER.dialect, fact)
    signed = signature(secret, body, int(time.time()))
    headers = {"content-type": LETTER.dialect.content_type, "x-sandbox-signature": signed}
    return news.receive(tenant.contract_id, "sandbox_card", headers, body)


def _retry(begun, minutes) -> None:
    """The job, so many minutes after `begun`."""
    with time_machine.travel(begun + timedelta(minutes=minutes), tick=True):
        news.retry_unmatched(100)


def _kept(message):
    with reading(ALL) as connection:
        query = text("SELECT state, attempts, error FROM inbox WHERE id = :id")
        return connection.execute(query, {"id": message}).one()


def _events(message):
    with reading(ALL) as connection:
        query = text("SELECT name, audience, data FROM events WHERE subject_id = :id ORDER BY id")
        return connection.execute(query, {"id": message}).all()


@contextmanager
def _books_that_take_nothing(databases) -> Iterator[None]:
    name = os.environ["DATABASE_URL"].split("/")[3].split("?")[0]
    engine = create_engine(databases.urls(name)[1])
    with engine.begin() as owner:
        body = "BEGIN RAISE EXCEPTION 'nothing is taken'; END"
        owner.execute(text(f"CREATE FUNCTION take_nothing() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"))
        owner.execute(
            text("CREATE TRIGGER nothing BEFORE INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION take_nothing()")
        )
    try:
        yield
    finally:
        with engine.begin() as owner:
            owner.execute(text("DROP FUNCTION take_nothing() CASCADE"))
        engine.dispose()
