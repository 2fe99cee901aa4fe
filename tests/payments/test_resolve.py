"""UNKNOWN is resolved by asking: silence is never taken for a no."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.payments import sign_off
from app.payments.capture import capture
from app.payments.correct import NothingToCorrect, correct
from app.payments.queries import OPERATIONS
from app.payments.refund import refund
from app.payments.resolve import resolve, resolve_due
from app.payments.resume import resume
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


def test_what_was_approved_long_after_it_was_asked_for_is_not_given_up_at_once(act, tenant, acquirers):
    """Four eyes: written down hours ago, sent seconds ago. It may still be on its way."""
    done = factories.captured(tenant, 40_000)
    waiting = refund(**act, payment_id=done.payment["id"], amount=16_605, permit=_of_somebody_else)
    _change(waiting, created_at=now() - timedelta(hours=5), updated_at=now() - timedelta(hours=5))
    sent = _approved(tenant, waiting)
    assert sent.operation["state"] == "unknown"
    assert _resolve(tenant, sent).operation["state"] == "unknown"
    _change(sent, updated_at=now() - timedelta(seconds=61))
    assert _resolve(tenant, sent).operation["state"] == "failed"
    assert factories.fresh(done)["refund_pending"] == 0
    assert told(done.payment["id"])[-1] == "refund.failed"
    assert "operation.needs_staff" not in told(done.payment["id"])


def test_a_return_from_the_bank_is_not_given_up_at_once(act, tenant, acquirers):
    asked = factories.authorised(tenant, 5_000, card=factories.card("challenge"))
    parameters = factories.pass_challenge(asked)
    _change(asked, created_at=now() - timedelta(hours=5), updated_at=now() - timedelta(hours=5))
    acquirers["A"].control(down="close")
    try:
        resume(**act, operation_id=asked.operation["id"], parameters=parameters)
    finally:
        acquirers["A"].control(down=None)
    assert now() - _row(asked)["updated_at"] < timedelta(seconds=60)
    assert now() - _row(asked)["sent_at"] < timedelta(seconds=60)


@pytest.mark.parametrize(("kind", "before", "after"), [("capture", 23, 25), ("refund", 5 * 24 - 1, 5 * 24 + 1)])
def test_what_is_pending_for_too_long_goes_to_staff_once(act, tenant, kind, before, after):
    """The provider said it would tell, and its message is lost."""
    done = factories.authorised(tenant, 26_607) if kind == "capture" else factories.captured(tenant, 20_000)
    verb = capture if kind == "capture" else refund
    waiting = verb(**act, payment_id=done.payment["id"], amount=16_607)
    assert waiting.operation["state"] == "pending"
    _change(waiting, created_at=now() - timedelta(hours=before))
    _resolve(tenant, waiting)
    assert "operation.needs_staff" not in told(done.payment["id"])
    with atomic(ALL) as connection, pytest.raises(NothingToCorrect):
        correct(connection, waiting.operation["id"], "succeeded", reason="seen", actor="test")
    _change(waiting, created_at=now() - timedelta(hours=after))
    for _ in range(2):
        assert _resolve(tenant, waiting).operation["state"] == "pending"
    assert told(done.payment["id"]).count("operation.needs_staff") == 1
    with atomic(ALL) as connection:
        ended = correct(connection, waiting.operation["id"], "succeeded", reason="seen in the portal", actor="test")
    assert ended.operation["state"] == "succeeded"
    assert told(done.payment["id"])[-2:] == ["operation.corrected", f"{kind}.succeeded"]
    balance = 16_607 if kind == "capture" else 3_393
    assert booked(done.payment["id"]) == {"provider_balance": balance, "payer_clearing": -balance}
    assert broken_proofs() == {}


def test_that_staff_were_told_leaves_the_providers_words_alone(tenant, acquirers):
    done = factories.authorised(tenant, card=factories.card("no_answer"))
    _change(done, message="what the provider said", created_at=now() - timedelta(hours=25))
    acquirers["A"].control(down="close")
    try:
        _resolve(tenant, done)
    finally:
        acquirers["A"].control(down=None)
    assert _row(done)["message"] == "what the provider said"
    assert _row(done)["needs_staff_at"] is not None


def _of_somebody_else(*_):
    """Every command waits for somebody's yes, who is asked elsewhere."""
    return lambda *_: None


def _approved(tenant, waiting):
    with atomic(of(tenant.merchant_id, False)) as connection:
        moved = sign_off.submit_waiting(connection, waiting.operation["group_id"], actor="test")
        references = sign_off.capture_references(connection, moved)
    return sign_off.send(moved, references, actor="test")


def _row(done) -> dict:
    with reading(ALL) as connection:
        query = select(OPERATIONS).where(OPERATIONS.c.id == done.operation["id"])
        return dict(connection.execute(query).mappings().one())


def _change(done, **columns) -> None:
    with atomic(ALL) as connection:
        connection.execute(update(OPERATIONS).where(OPERATIONS.c.id == done.operation["id"]).values(columns))


def _make_old(done, age: timedelta) -> None:
    """As if it had been written down and sent `age` ago."""
    _change(done, created_at=now() - age, updated_at=now() - age)


def _make_due(done) -> None:
    with atomic(ALL) as connection:
        connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.id == done.operation["id"])
            .values(enquire_at=text("now() - interval '1 second'"))
        )
