"""UNKNOWN is resolved by asking: silence is never taken for a no."""

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from app.core.clock import now
from app.core.db import ALL, atomic
from app.payments.capture import capture
from app.payments.queries import OPERATIONS
from app.payments.refund import refund
from app.payments.resolve import resolve, resolve_due
from tests import factories
from tests.books import booked, broken_proofs, told


def _resolve(tenant, done):
    return resolve(done.operation["id"], merchant_id=tenant.merchant_id, live=False)


@pytest.mark.parametrize("name", ["no_answer", "garbled", "unknown_word", "broken"])
def test_an_authorisation_that_happened_is_found(tenant, name):
    done = factories.authorised(tenant, card=factories.card(name))
    assert done.operation["state"] == "unknown"
    assert _resolve(tenant, done).payment["status"] == "authorised"
    assert told(done.payment["id"])[-1] == "authorisation.succeeded"


def test_what_the_provider_never_saw_fails_only_when_it_cannot_arrive_any_more(tenant):
    done = factories.authorised(tenant, card=factories.card("silence"))
    assert _resolve(tenant, done).operation["state"] == "unknown"
    _make_old(done, timedelta(seconds=61))
    assert _resolve(tenant, done).payment["status"] == "failed"
    assert told(done.payment["id"])[-1] == "authorisation.failed"


def test_a_capture_and_a_refund_without_answers_are_found(act, tenant, acquirers):
    done = factories.authorised(tenant, 40_000)
    silent = capture(**act, payment_id=done.payment["id"], amount=26_604)
    assert _resolve(tenant, silent).payment["captured"] == 26_604
    back = refund(**act, payment_id=done.payment["id"], amount=16_604)
    assert back.operation["state"] == "unknown"
    assert _resolve(tenant, back).payment["refunded"] == 16_604
    assert booked(done.payment["id"]) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert len(acquirers["A"].did(done="captured", amount=26_604)) == 1
    assert len(acquirers["A"].did(done="refunded", amount=16_604)) == 1
    assert broken_proofs() == {}


def test_a_process_that_died_after_submitting_is_made_good(app, act, tenant, acquirers):
    done = factories.left_submitted(tenant)
    assert factories.fresh(done)["status"] == "pending"
    _make_due(done)
    assert resolve_due(app) >= 1
    assert factories.fresh(done)["status"] in ("pending", "failed")
    _make_old(done, timedelta(seconds=61))
    _make_due(done)
    resolve_due(app)
    assert factories.fresh(done)["status"] == "failed"


def test_one_enquiry_at_a_time(app, tenant):
    done = factories.authorised(tenant, card=factories.card("no_answer"))
    _make_due(done)
    first, second = resolve_due(app), resolve_due(app)
    assert first >= 1
    assert second == 0
    assert factories.fresh(done)["status"] == "authorised"


def test_after_a_day_staff_are_told_once_and_the_money_stays_reserved(tenant, acquirers):
    done = factories.authorised(tenant, card=factories.card("no_answer"))
    _make_old(done, timedelta(hours=25))
    acquirers["A"].control(down="close")
    try:
        for _ in range(3):
            assert _resolve(tenant, done).operation["state"] == "unknown"
    finally:
        acquirers["A"].control(down=None)
    assert told(done.payment["id"]).count("operation.needs_staff") == 1
    assert factories.fresh(done)["status"] == "pending"


def _make_old(done, age: timedelta) -> None:
    with atomic(ALL) as connection:
        connection.execute(
            update(OPERATIONS).where(OPERATIONS.c.id == done.operation["id"]).values(created_at=now() - age)
        )


def _make_due(done) -> None:
    with atomic(ALL) as connection:
        connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.id == done.operation["id"])
            .values(enquire_at=text("now() - interval '1 second'"))
        )
