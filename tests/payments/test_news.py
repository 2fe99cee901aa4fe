"""Facts from providers: the same news twice changes nothing, and no fact is ever refused."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.connectors.kinds import DeclineCode, News, NewsRefused, Outcome
from app.core import inbox
from app.core.db import ALL, atomic, of, reading
from app.core.errors import NotFound
from app.core.ids import public_id, uuid7
from app.payments import news
from app.payments.capture import capture
from app.payments.expire import expire_actions
from app.payments.queries import left_to_capture
from app.payments.refund import refund
from sandbox.acquirers import dialects
from sandbox.acquirers.letters import LETTERS
from sandbox.acquirers.news import signature
from tests import factories
from tests.books import booked, broken_proofs, told
from tests.payments.histories.world import make_old

AGAIN_AFTER_MINUTES = [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]


def test_a_pending_refund_arrives_once_although_told_twice(act, tenant):
    done = factories.captured(tenant, 20_000)
    waiting = refund(**act, payment_id=done.payment["id"], amount=16_607)
    for _ in range(2):
        assert factories.hear(tenant, waiting, "refund", "approved", 16_607, reference="r-1", news_id="same")
    assert factories.fresh(done)["refunded"] == 16_607
    assert told(done.payment["id"]).count("refund.succeeded") == 1
    assert booked(done.payment["id"]) == {"provider_balance": 3_393, "payer_clearing": -3_393}


def test_a_refund_that_did_not_arrive_is_taken_back(act, tenant):
    done = factories.captured(tenant, 10_000)
    back = refund(**act, payment_id=done.payment["id"], amount=4_000)
    factories.hear(tenant, back, "refund", "declined", 4_000, reference="gone", code=DeclineCode.ACCOUNT_CLOSED)
    assert factories.fresh(done)["refunded"] == 0
    assert told(done.payment["id"])[-1] == "refund.revoked"
    assert booked(done.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert broken_proofs() == {}


def test_a_refund_made_in_the_providers_portal_is_booked(tenant):
    done = factories.captured(tenant, 10_000)
    _hear_foreign(tenant, done, "refund", 2_500)
    assert factories.fresh(done)["refunded"] == 2_500
    assert booked(done.payment["id"]) == {"provider_balance": 7_500, "payer_clearing": -7_500}
    assert broken_proofs() == {}


def test_a_refund_beyond_what_was_captured_is_a_fact_and_a_loss(act, tenant):
    done = factories.captured(tenant, 10_000)
    refund(**act, payment_id=done.payment["id"])
    _hear_foreign(tenant, done, "refund", 10_000)
    payment = factories.fresh(done)
    assert (payment["refunded"], payment["over_returned"]) == (20_000, 10_000)
    assert booked(done.payment["id"]) == {"provider_balance": -10_000, "over_returned_losses": 10_000}
    assert broken_proofs() == {}


def test_a_capture_beyond_what_was_authorised_becomes_the_payers_credit(tenant):
    done = factories.captured(tenant, 10_000)
    _hear_foreign(tenant, done, "capture", 1_500)
    payment = factories.fresh(done)
    assert (payment["captured"], payment["over_captured"]) == (11_500, 1_500)
    assert booked(done.payment["id"]) == {
        "provider_balance": 11_500,
        "payer_clearing": -10_000,
        "payer_credit": -1_500,
    }
    assert broken_proofs() == {}


def test_a_capture_that_overtakes_its_authorisation_is_no_credit_of_the_payers(tenant):
    done = factories.authorised(tenant, 10_000, card=factories.card("pending"))
    _hear_foreign(tenant, done, "capture", 2_500)
    assert factories.fresh(done)["over_captured"] == 2_500
    reference = factories.authorisation_of(done)["provider_reference"]
    factories.hear(tenant, done, "authorise", "approved", 10_000, reference=reference)
    payment = factories.fresh(done)
    assert (payment["status"], payment["over_captured"]) == ("partially_captured", 0)
    assert left_to_capture(payment) == 7_500
    assert booked(done.payment["id"]) == {"provider_balance": 2_500, "payer_clearing": -2_500}
    assert broken_proofs() == {}


def test_a_cancellation_that_overtakes_its_authorisation_is_read_again_when_there_is_something_to_cancel(tenant):
    done = factories.authorised(tenant, 10_000, card=factories.card("pending"))
    gone = _foreign(done, "cancel", 10_000)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, gone) is False
    reference = factories.authorisation_of(done)["provider_reference"]
    factories.hear(tenant, done, "authorise", "approved", 10_000, reference=reference)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, gone) is True
    payment = factories.fresh(done)
    assert (payment["status"], payment["authorised"], payment["cancelled"]) == ("cancelled", 10_000, 10_000)
    assert broken_proofs() == {}


def test_a_cancellation_that_overtakes_a_late_yes_waits_for_it(tenant):
    """The payer was given up, and approved at the bank; somebody cancelled that in the provider's portal."""
    done = factories.authorised(tenant, 10_000, card=factories.card("challenge"))
    make_old(public_id("op", done.operation["id"]), timedelta(hours=25))
    expire_actions(1_000)
    gone = _foreign(done, "cancel", 10_000)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, gone) is False
    reference = factories.authorisation_of(done)["provider_reference"]
    factories.hear(tenant, done, "authorise", "approved", 10_000, reference=reference)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, gone) is True
    assert (factories.fresh(done)["authorised"], factories.fresh(done)["cancelled"]) == (10_000, 10_000)
    assert broken_proofs() == {}


def test_what_fitted_nothing_is_read_again_with_ever_longer_pauses(tenant):
    message = _of_nobody(tenant)
    news.read(message)
    read_at = []
    for minutes in (0, *(late - early for late in AGAIN_AFTER_MINUTES for early in (0.1, -0.1)), 10_000):
        before = _attempts(message)
        _received(message, minutes_ago=minutes)
        news.retry_unmatched(100)
        if _attempts(message) > before:
            read_at.append(round(minutes, 1))
    assert read_at == [late + 0.1 for late in AGAIN_AFTER_MINUTES]


def _of_nobody(tenant):
    """A notification about an authorisation that is not ours."""
    letter = LETTERS["A"]
    fact = {"kind": "refund", "status": "approved", "amount": 100, "currency": "EUR", "reference": "r-of-nobody"}
    more = {"news": f"n-{uuid7()}", "authorisation": "a-of-nobody", "occurred_at": int(time.time())}
    _, body = dialects.encode(letter.dialect, {**fact, **more})
    signed = signature(letter.news_secret, body, int(time.time()))
    headers = {"content-type": letter.dialect.content_type, "x-sandbox-signature": signed}
    return news.receive(tenant.contract_id, "sandbox_card", headers, body)


def _attempts(message) -> int:
    with reading(ALL) as connection:
        return connection.execute(text("SELECT attempts FROM inbox WHERE id = :id"), {"id": message}).scalar_one()


def _received(message, *, minutes_ago: int) -> None:
    with atomic(ALL) as connection:
        query = text("UPDATE inbox SET received_at = now() - make_interval(secs => 60 * :minutes) WHERE id = :id")
        connection.execute(query, {"minutes": minutes_ago, "id": message})


def test_a_released_rest_is_a_cancellation_and_never_a_refund(act, tenant):
    done = factories.authorised(tenant, 10_000)
    capture(**act, payment_id=done.payment["id"], amount=4_000)
    _hear_foreign(tenant, done, "refund", 6_000, released=True)
    payment = factories.fresh(done)
    assert (payment["captured"], payment["cancelled"], payment["refunded"]) == (4_000, 6_000, 0)
    assert payment["status"] == "captured"


def test_news_that_fits_nothing_is_kept_and_told_to_staff(tenant):
    fact = News(id="x", kind="refund", outcome=Outcome.APPROVED, amount=1, currency="EUR", provider_reference="nobody")
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, fact) is False


def test_a_message_with_a_wrong_signature_is_kept_but_not_read(tenant):
    message = news.receive(tenant.contract_id, "sandbox_card", {"x-sandbox-signature": "t=1,v1=00"}, b'{"news":[]}')
    with pytest.raises(NewsRefused):
        news.read(message)
    with reading(ALL) as connection:
        kept = connection.execute(
            select(inbox.InboxMessage.state, inbox.InboxMessage.sealed).where(inbox.InboxMessage.id == message)
        ).one()
    assert kept.state == "refused"
    assert b"news" not in kept.sealed


def test_the_same_bytes_are_kept_once(tenant):
    first = news.receive(tenant.contract_id, "sandbox_card", {}, b"{}")
    assert news.receive(tenant.contract_id, "sandbox_card", {}, b"{}") == first


def test_news_for_an_unknown_contract_is_not_found(tenant):
    with pytest.raises(NotFound):
        news.receive(uuid7(), "sandbox_card", {}, b"{}")
    with pytest.raises(NotFound):
        news.receive(tenant.contract_id, "stripe", {}, b"{}")


def _hear_foreign(tenant, done, kind, amount, **more) -> None:
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, _foreign(done, kind, amount, **more))


def _foreign(done, kind, amount, **more) -> News:
    """Something done in the provider's portal: it names the authorisation, not an operation of ours."""
    return News(
        id=f"portal-{uuid7()}",
        kind=kind,
        outcome=Outcome.APPROVED,
        amount=amount,
        currency="EUR",
        provider_reference=f"portal-{uuid7()}",
        authorisation_reference=factories.authorisation_of(done)["provider_reference"],
        **more,
    )
