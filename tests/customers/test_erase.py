"""Erasing a customer: the data go, the payments stay, and nothing can be charged any more."""

import pytest
from sqlalchemy import select, text

from app.core.db import ALL, atomic, of, reading
from app.core.errors import NotFound
from app.customers.add import CUSTOMERS, CustomerErased, add_customer, change_customer
from app.customers.erase import erase
from app.customers.instruments import InstrumentInactive
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.resume import resume
from tests import factories


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


@pytest.fixture
def customer(tenant):
    with atomic(of(tenant.merchant_id, False)) as connection:
        columns = {"number": "K-1", "name": "Erika Muster", "email": "erika@example.com", "phone": "+49 30 1234"}
        return add_customer(connection, merchant_id=tenant.merchant_id, live=False, actor="test", columns=columns)


def test_what_is_personal_goes_and_the_payment_stays(tenant, customer):
    paid = _pay(tenant, Means("card", card=factories.GOOD_CARD, store=True), customer["id"])
    after = _erase(tenant, customer)
    assert [after[name] for name in ("number", "name", "email", "phone", "address")] == [None] * 5
    assert after["erased_at"] is not None
    assert factories.fresh(paid)["payer_name"] == "Erika Muster"
    with pytest.raises(InstrumentInactive):
        _pay(tenant, Means("card", instrument_id=paid.payment["instrument_id"]), customer["id"])
    with reading(ALL) as connection:
        query = text("SELECT count(*) FROM instrument_tokens WHERE merchant_id = :id")
        assert connection.execute(query, {"id": tenant.merchant_id}).scalar_one() == 0
        names = connection.execute(
            text("SELECT name FROM events WHERE subject_id = :id ORDER BY id"), {"id": customer["id"]}
        )
        assert list(names.scalars()) == ["customer.added", "customer.erased"]


def test_a_payer_who_confirms_afterwards_leaves_no_token(tenant, customer):
    """Erased while the payer is at their bank: the payment goes on, the card is not kept."""
    waiting = _pay(tenant, Means("card", card=factories.card("challenge"), store=True), customer["id"])
    _erase(tenant, customer)
    answer = factories.pass_challenge(waiting)
    resume(
        merchant_id=tenant.merchant_id,
        live=False,
        actor="payer",
        operation_id=waiting.operation["id"],
        parameters=answer,
    )
    assert factories.fresh(waiting)["status"] == "authorised"
    assert factories.fresh(waiting)["instrument_id"] is None
    with reading(ALL) as connection:
        query = text("SELECT count(*) FROM instrument_tokens WHERE merchant_id = :id")
        assert connection.execute(query, {"id": tenant.merchant_id}).scalar_one() == 0


def test_a_second_time_changes_nothing(tenant, customer):
    first = _erase(tenant, customer)
    assert _erase(tenant, customer)["erased_at"] == first["erased_at"]


def test_an_erased_customer_is_not_filled_again(tenant, customer):
    _erase(tenant, customer)
    with pytest.raises(CustomerErased), atomic(of(tenant.merchant_id, False)) as connection:
        change_customer(connection, customer_id=customer["id"], actor="test", columns={"name": "Erika"})


def test_its_number_is_free_again(tenant, customer):
    _erase(tenant, customer)
    with atomic(of(tenant.merchant_id, False)) as connection:
        add_customer(connection, merchant_id=tenant.merchant_id, live=False, actor="test", columns={"number": "K-1"})


def test_another_merchants_customer_does_not_exist(tenant, customer, acquirers):
    other = factories.tenant(acquirers["A"])
    with pytest.raises(NotFound), atomic(of(other.merchant_id, False)) as connection:
        erase(connection, customer_id=customer["id"], actor="test")
    with reading(ALL) as connection:
        query = select(CUSTOMERS.c.name).where(CUSTOMERS.c.id == customer["id"])
        assert connection.execute(query).scalar_one() == "Erika Muster"


def _erase(tenant, customer):
    with atomic(of(tenant.merchant_id, False)) as connection:
        return erase(connection, customer_id=customer["id"], actor="test")


def _pay(tenant, means, customer_id):
    order = factories.an_order(customer_id=customer_id)
    return authorise(merchant_id=tenant.merchant_id, live=False, actor="test", order=order, means=means)
