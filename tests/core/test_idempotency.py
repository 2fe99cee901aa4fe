"""The same key does its work once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.db import atomic, of
from app.core.idempotency import KeyReused, Once, Repeated, claim
from app.core.ids import uuid7
from app.payments.attempt import Means
from app.payments.authorise import authorise
from tests import factories


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


def test_a_key_points_at_what_it_made(tenant):
    once, made = Once("k1", "POST /x", b"{}"), uuid7()
    with atomic(of(tenant.merchant_id, False)) as connection:
        claim(connection, once, tenant.merchant_id, False, ("thing", made))
    with pytest.raises(Repeated) as repeated, atomic(of(tenant.merchant_id, False)) as connection:
        claim(connection, once, tenant.merchant_id, False, ("thing", uuid7()))
    assert (repeated.value.subject_type, repeated.value.subject_id) == ("thing", made)


@pytest.mark.parametrize("other", [Once("k2", "POST /x", b"[]"), Once("k2", "POST /y", b"{}")])
def test_a_key_used_for_something_else_is_refused(tenant, other):
    with atomic(of(tenant.merchant_id, False)) as connection:
        claim(connection, Once("k2", "POST /x", b"{}"), tenant.merchant_id, False, ("thing", uuid7()))
    with pytest.raises(KeyReused), atomic(of(tenant.merchant_id, False)) as connection:
        claim(connection, other, tenant.merchant_id, False, ("thing", uuid7()))


def test_the_same_key_of_another_merchant_is_another_key(tenant, acquirers):
    other = factories.tenant(acquirers["A"])
    for one in (tenant, other):
        with atomic(of(one.merchant_id, False)) as connection:
            claim(connection, Once("k3", "POST /x", b"{}"), one.merchant_id, False, ("thing", uuid7()))


def test_work_that_is_rolled_back_leaves_no_key(tenant):
    once = Once("k4", "POST /x", b"{}")
    with pytest.raises(ZeroDivisionError), atomic(of(tenant.merchant_id, False)) as connection:
        claim(connection, once, tenant.merchant_id, False, ("thing", uuid7()))
        raise ZeroDivisionError
    with atomic(of(tenant.merchant_id, False)) as connection:
        claim(connection, once, tenant.merchant_id, False, ("thing", uuid7()))


def test_many_at_once_charge_once(app, tenant, acquirers):
    order, once = factories.an_order(3_333), Once("k5", "POST /v1/payments", b"{}")

    def attempt(_: int) -> str:
        with app.app_context():
            try:
                done = authorise(
                    merchant_id=tenant.merchant_id,
                    live=False,
                    means=Means("card", card=factories.GOOD_CARD),
                    order=order,
                    actor="test",
                    once=once,
                )
                return str(done.payment["id"])
            except Repeated as repeated:
                return str(repeated.subject_id)

    with ThreadPoolExecutor(12) as pool:
        answers = set(pool.map(attempt, range(24)))
    assert len(answers) == 1
    assert len(acquirers["A"].did(done="authorised", reference=order.merchant_reference)) == 1
