"""What is taken or given back too much is told to staff and stays on their list until somebody has seen to it."""

import pytest
from sqlalchemy import select

from app.core.db import ALL, reading
from app.payments.queries import PAYMENTS
from app.payments.refund import refund
from app.payments.see_over import UNSEEN, NothingOver, see_over
from tests import factories
from tests.books import booked, broken_proofs, told


def test_a_refund_beyond_what_was_captured_alerts_once_and_is_worked_off(act, tenant):
    done = factories.captured(tenant, 10_000)
    refund(**act, payment_id=done.payment["id"])
    assert _listed() == set()
    factories.done_in_portal(tenant, done, "refund", 3_000)
    assert told(done.payment["id"])[-2:] == ["payment.over_returned", "refund.succeeded"]
    assert _listed() == {done.payment["id"]}
    see_over(**act, payment_id=done.payment["id"])
    assert told(done.payment["id"])[-1] == "payment.over_seen"
    assert _listed() == set()
    with pytest.raises(NothingOver):
        see_over(**act, payment_id=done.payment["id"])
    factories.done_in_portal(tenant, done, "refund", 500)
    assert _listed() == {done.payment["id"]}
    assert booked(done.payment["id"])["over_returned_losses"] == 3_500
    assert broken_proofs() == {}
    see_over(**act, payment_id=done.payment["id"])


def test_a_capture_beyond_what_was_reserved_alerts(act, tenant):
    done = factories.captured(tenant, 10_000)
    factories.done_in_portal(tenant, done, "capture", 2_500)
    assert told(done.payment["id"])[-2:] == ["payment.over_captured", "capture.succeeded"]
    assert _listed() == {done.payment["id"]}
    assert booked(done.payment["id"])["payer_credit"] == -2_500
    see_over(**act, payment_id=done.payment["id"])
    assert _listed() == set()


def _listed():
    with reading(ALL) as connection:
        return set(connection.execute(select(PAYMENTS.c.id).where(UNSEEN)).scalars())
