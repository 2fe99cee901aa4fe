"""What lapses by time, on the merchant's own clock."""

from concurrent.futures import Future
from datetime import timedelta
from threading import Thread
from time import monotonic

from sqlalchemy import text, update

from app.core.clock import now
from app.core.db import ALL, atomic, of
from app.payments import expire
from app.payments.checkout import CHECKOUTS, open_checkout, read
from app.payments.perform import Done
from app.payments.queries import OPERATIONS, locked_payment
from app.payments.start import start
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
    _past_its_time(opened)
    expire.expire_checkouts(100)
    again = read(opened.checkout["id"])
    assert (again.checkout["state"], again.payment["status"]) == ("expired", "expired")
    assert told(opened.payment["id"])[-1] == "checkout.expired"


def _past_its_time(opened):
    with atomic(ALL) as connection:
        one = update(CHECKOUTS).where(CHECKOUTS.c.id == opened.checkout["id"])
        connection.execute(one.values(expires_at=now() - timedelta(seconds=1)))


def _waits_for_a_lock(connection):
    """Until another transaction waits for what this one holds."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
    ends = monotonic() + 5
    while connection.execute(waiting).scalar_one() == 0:
        assert monotonic() < ends, "nobody waits"


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


def test_expiry_takes_the_payment_first_as_everybody_does(app, tenant):
    """It held the checkout and waited for the payment, and who paid held the payment and waited for the checkout."""
    opened = open_checkout(factories.an_order(), merchant_id=tenant.merchant_id, live=False, actor="test")
    _past_its_time(opened)
    expired = Future()

    def expiry():
        with app.app_context():
            expired.set_result(expire.expire_checkouts(1_000))

    with atomic(of(tenant.merchant_id, False)) as connection:  # as pay(), abandon() and complete_checkout() do
        locked_payment(connection, opened.payment["id"])
        thread = Thread(target=expiry)
        thread.start()
        _waits_for_a_lock(connection)
        one = update(CHECKOUTS).where(CHECKOUTS.c.id == opened.checkout["id"])
        connection.execute(one.values(language="en"))
    thread.join(10)
    assert expired.result(timeout=0) >= 1
    assert read(opened.checkout["id"]).checkout["state"] == "expired"


def test_one_that_cannot_expire_stops_no_other(tenant):
    broken, good = (factories.authorised(tenant, card=factories.card("challenge")) for _ in range(2))
    for done, hours, step in ((broken, 30, 0), (good, 25, 2)):  # a step that was told before cannot be taken again
        values = {"created_at": now() - timedelta(hours=hours), "step": step}
        with atomic(ALL) as connection:
            connection.execute(update(OPERATIONS).where(OPERATIONS.c.id == done.operation["id"]).values(values))
    expire.expire_actions(100)
    assert factories.fresh(broken)["status"] == "requires_action"
    assert factories.fresh(good)["status"] == "failed"
    assert told(good.payment["id"])[-1] == "authorisation.declined"


def test_a_payment_nobody_gave_a_means_to_expires_after_thirty_days(tenant):
    act = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    with atomic(of(tenant.merchant_id, False)) as connection:
        payment = start(connection, factories.an_order(), **act)
    failed = factories.authorised(tenant, card=factories.card("insufficient_funds"))
    opened = open_checkout(factories.an_order(), **act)
    factories.move_clock(tenant, days=29)
    expire.expire_unpaid(1_000)
    assert told(payment["id"]) == ["payment.created"]
    factories.move_clock(tenant, days=31)
    expire.expire_unpaid(1_000)
    for payment_id in (payment["id"], opened.payment["id"]):
        assert factories.fresh(Done({"id": payment_id}, {}))["status"] == "expired"
        assert "payment.expired" in told(payment_id) and booked(payment_id) == {}
    assert read(opened.checkout["id"]).checkout["state"] == "expired"
    assert factories.fresh(failed)["status"] == "failed", "it was tried"
    assert told(failed.payment["id"])[-1] == "authorisation.declined"
    assert broken_proofs() == {}
