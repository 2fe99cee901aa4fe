"""A fading authorisation is renewed by itself before it is captured."""

from sqlalchemy import select

from app.core.db import ALL, reading
from app.payments.capture import capture
from app.payments.queries import AUTHORISATIONS
from app.payments.refund import refund
from tests import factories
from tests.books import booked, broken_proofs, told


def test_after_the_honour_period_a_capture_renews_the_authorisation_first(context, acquirers):
    tenant = factories.tenant(acquirers["A"], honour_days=2)
    act = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    payment_id = factories.authorised(tenant, 10_000).payment["id"]
    capture(**act, payment_id=payment_id, amount=4_000)
    factories.move_clock(tenant, days=3)
    done = capture(**act, payment_id=payment_id)
    assert (done.payment["status"], done.payment["captured"]) == ("captured", 10_000)
    assert (done.payment["authorised"], done.payment["cancelled"]) == (16_000, 6_000)
    assert [(row.is_open, row.captured, row.cancelled) for row in _authorisations(payment_id)] == [
        (False, 4_000, 6_000),
        (True, 6_000, 0),
    ]
    assert booked(payment_id) == {"provider_balance": 10_000, "payer_clearing": -10_000}
    assert told(payment_id).count("authorisation.submitted") == 2
    assert told(payment_id).count("authorisation.succeeded") == 2
    assert refund(**act, payment_id=payment_id, amount=9_000).payment["refunded"] == 9_000
    assert broken_proofs() == {}


def test_a_renewal_that_was_refused_is_not_asked_for_again(context, acquirers):
    tenant = factories.tenant(acquirers["A"], honour_days=2)
    act = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    payment_id = factories.authorised(tenant, 6_601).payment["id"]  # an amount whose renewal is declined
    factories.move_clock(tenant, days=3)
    assert capture(**act, payment_id=payment_id, amount=1_000).operation["state"] == "succeeded"
    assert capture(**act, payment_id=payment_id, amount=2_000).operation["state"] == "succeeded"
    assert told(payment_id).count("authorisation.submitted") == 2
    assert [row.captured for row in _authorisations(payment_id)] == [3_000, 0]
    assert broken_proofs() == {}


def _authorisations(payment_id):
    with reading(ALL) as connection:
        return connection.execute(
            select(AUTHORISATIONS.c.is_open, AUTHORISATIONS.c.captured, AUTHORISATIONS.c.cancelled)
            .where(AUTHORISATIONS.c.payment_id == payment_id)
            .order_by(AUTHORISATIONS.c.attempt)
        ).all()
