"""What lapses by time, on the merchant's own clock."""

from datetime import timedelta

from sqlalchemy import update

from app.core.clock import now
from app.core.db import ALL, atomic
from app.payments import expire
from app.payments.checkout import CHECKOUTS, open_checkout, read
from app.payments.queries import OPERATIONS
from tests import factories
from tests.books import booked, broken_proofs, told


def test_an_authorisation_nobody_captured_expires(tenant):
    done = factories.authorised(tenant, 10_000)
    expire.expire_authorisations(100)
    assert factories.fresh(done)["status"] == "authorised"
    factories.move_clock(tenant, days=8)
    expire.expire_authorisations(100)
    payment = factories.fresh(done)
    assert (payment["status"], payment["cancelled"]) == ("expired", 10_000)
    assert told(done.payment["id"])[-1] == "cancellation.succeeded"
    assert booked(done.payment["id"]) == {}
    assert broken_proofs() == {}


def test_a_checkout_nobody_paid_expires_with_its_payment(tenant):
    opened = open_checkout(factories.an_order(), merchant_id=tenant.merchant_id, live=False, actor="test")
    with atomic(ALL) as connection:
        connection.execute(
            update(CHECKOUTS)
            .where(CHECKOUTS.c.id == opened.checkout["id"])
            .values(expires_at=now() - timedelta(seconds=1))
        )
    expire.expire_checkouts(100)
    again = read(opened.checkout["id"])
    assert (again.checkout["state"], again.payment["status"]) == ("expired", "expired")
    assert told(opened.payment["id"])[-1] == "checkout.expired"


def test_a_challenge_nobody_took_ends_after_a_day(tenant):
    done = factories.authorised(tenant, card=factories.card("challenge"))
    with atomic(ALL) as connection:
        connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.id == done.operation["id"])
            .values(created_at=now() - timedelta(hours=25))
        )
    expire.expire_actions(100)
    assert factories.fresh(done)["status"] == "failed"
    assert told(done.payment["id"])[-1] == "authorisation.declined"
