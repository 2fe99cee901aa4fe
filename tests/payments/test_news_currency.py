"""A fact in another currency than its payment's cannot be booked to it: 16,500 yen are not 165 euros."""

import time

import pytest
from sqlalchemy import text

from app.connectors.kinds import DisputeNews, News, Outcome
from app.core.db import ALL, atomic, of, reading
from app.core.ids import public_id, uuid7
from app.payments import news
from sandbox.acquirers import dialects
from sandbox.acquirers.letters import LETTERS
from sandbox.acquirers.news import signature
from tests import factories
from tests.books import booked, broken_proofs, told

LETTER = LETTERS["A"]
EURO_CAPTURE = {"provider_balance": 10_000, "payer_clearing": -10_000}


@pytest.mark.parametrize("kind", ["capture", "refund", "cancel", "dispute"])
def test_it_is_not_booked(tenant, kind):
    done = factories.captured(tenant, 10_000)
    before = told(done.payment["id"])
    turn = DisputeNews("charged_back", f"dp_{done.payment['id']}", "x") if kind == "dispute" else None
    fact = _about(done, kind, 16_500, "JPY", dispute=turn)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, fact) is False
    assert (factories.fresh(done)["charged_back"], factories.fresh(done)["refunded"]) == (0, 0)
    assert told(done.payment["id"]) == before
    assert booked(done.payment["id"]) == EURO_CAPTURE and broken_proofs() == {}


def test_an_answer_to_our_own_operation_in_another_currency_is_none(act, tenant):
    asked = factories.authorised(tenant, 10_000, card=factories.card("pending"))
    assert asked.operation["state"] == "pending"
    fact = News("yen", "authorise", Outcome.APPROVED, 10_000, "JPY", operation_key=_key(asked))
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, fact) is False
    assert factories.fresh(asked)["authorised"] == 0


@pytest.mark.parametrize(("amount", "currency"), [(2_500, "EUR"), (2_500, None)])
def test_the_payments_own_currency_and_none_are_booked(tenant, amount, currency):
    done = factories.captured(tenant, 10_000)
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, _about(done, "refund", amount, currency))
    assert factories.fresh(done)["refunded"] == 2_500
    assert booked(done.payment["id"]) == {"provider_balance": 7_500, "payer_clearing": -7_500}


def test_staff_are_told(tenant):
    done = factories.captured(tenant, 10_000)
    fact = {"kind": "refund", "status": "approved", "amount": 9_000, "currency": "USD", "id": f"r-{uuid7()}"}
    more = {"authorisation": factories.authorisation_of(done)["provider_reference"], "occurred_at": int(time.time())}
    _, body = dialects.encode(LETTER.dialect, {"news": f"n-{uuid7()}", **fact, **more})
    signed = signature(LETTER.news_secret, body, int(time.time()))
    headers = {"content-type": LETTER.dialect.content_type, "x-sandbox-signature": signed}
    message = news.receive(tenant.contract_id, "sandbox_card", headers, body)
    news.read(message)
    with reading(ALL) as connection:
        state = connection.execute(text("SELECT state FROM inbox WHERE id = :id"), {"id": message}).scalar_one()
        audiences = connection.execute(
            text("SELECT audience FROM events WHERE name = 'news.unmatched' AND subject_id = :id"), {"id": message}
        ).scalars()
        assert (state, list(audiences)) == ("unmatched", ["staff"])
    assert booked(done.payment["id"]) == EURO_CAPTURE


def _about(done, kind, amount, currency, **more):
    reference = factories.authorisation_of(done)["provider_reference"]
    return News(f"n-{uuid7()}", kind, Outcome.APPROVED, amount, currency, authorisation_reference=reference, **more)


def _key(done):
    return public_id("op", done.operation["id"])
