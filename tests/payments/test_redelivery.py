"""The same bytes again: a delivery that was refused is no reason to refuse the next one."""

import time

import pytest
from sqlalchemy import text

from app.connectors.kinds import NewsRefused
from app.core.db import ALL, reading
from app.core.ids import public_id, uuid7
from app.payments import news
from sandbox.acquirers import dialects
from sandbox.acquirers.letters import LETTERS
from sandbox.acquirers.news import signature
from tests import factories
from tests.books import booked, told

LETTER = LETTERS["A"]
WRONG = {"x-sandbox-signature": "t=1,v1=00"}


def test_a_delivery_that_was_refused_counts_when_it_comes_again_rightly_signed(tenant):
    done, body = _refund_in_the_portal(tenant)
    first = news.receive(tenant.contract_id, "sandbox_card", WRONG, body)
    with pytest.raises(NewsRefused):
        news.read(first)
    assert _kept(first) == ("refused", 1)
    again = news.receive(tenant.contract_id, "sandbox_card", _signed(body), body)
    news.read(again)
    assert again == first and _kept(first)[0] == "read"
    assert factories.fresh(done)["refunded"] == 2_500
    assert told(done.payment["id"])[-1] == "refund.succeeded"
    assert booked(done.payment["id"]) == {"provider_balance": 7_500, "payer_clearing": -7_500}


def test_a_delivery_that_was_read_is_not_made_unread_by_a_forged_one(tenant):
    done, body = _refund_in_the_portal(tenant)
    message = news.receive(tenant.contract_id, "sandbox_card", _signed(body), body)
    news.read(message)
    assert news.receive(tenant.contract_id, "sandbox_card", WRONG, body) == message
    news.read(message)
    assert _kept(message) == ("read", 1)
    assert factories.fresh(done)["refunded"] == 2_500


def test_nobody_is_told_yes_about_what_was_refused(tenant):
    """Two deliveries at once: while this one was on its way to be read, the other was refused."""
    _, body = _refund_in_the_portal(tenant)
    message = news.receive(tenant.contract_id, "sandbox_card", WRONG, body)
    for _ in range(2):
        with pytest.raises(NewsRefused):
            news.read(message)


def test_through_the_door(tenant, app):
    done, body = _refund_in_the_portal(tenant)
    path, client = f"/news/sandbox_card/{public_id('ctr', tenant.contract_id)}", app.test_client()
    assert client.post(path, data=body, headers=WRONG).status_code == 400
    assert client.post(path, data=body, headers=WRONG).status_code == 400
    assert client.post(path, data=body, headers=_signed(body)).status_code == 200
    assert client.post(path, data=body, headers=WRONG).status_code == 200, "it was read before"
    assert factories.fresh(done)["refunded"] == 2_500


def _refund_in_the_portal(tenant):
    done = factories.captured(tenant)
    fact = {"kind": "refund", "status": "approved", "amount": 2_500, "currency": "EUR", "id": f"r-{uuid7()}"}
    more = {"authorisation": factories.authorisation_of(done)["provider_reference"], "occurred_at": int(time.time())}
    _, body = dialects.encode(LETTER.dialect, {"news": f"n-{uuid7()}", **fact, **more})
    return done, body


def _signed(body):
    signed = signature(LETTER.news_secret, body, int(time.time()))
    return {"content-type": LETTER.dialect.content_type, "x-sandbox-signature": signed}


def _kept(message):
    with reading(ALL) as connection:
        query = text("SELECT state, attempts FROM inbox WHERE id = :id")
        return tuple(connection.execute(query, {"id": message}).one())
