"""A customer whose processing is restricted (Art. 18 GDPR) is kept, and not charged."""

import pytest
from sqlalchemy import text

from app.core.db import atomic, of, reading
from app.core.errors import NotFound
from app.core.ids import public_id
from app.customers.add import CustomerErased, add_customer
from app.customers.erase import erase
from app.customers.register import register
from app.customers.restrict import CustomerRestricted, lift, restrict
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.capture import capture
from app.payments.queries import CONTRACTS
from app.privacy.of_guest import of_guest
from tests import factories


@pytest.fixture
def tenant(context, acquirers):
    return factories.tenant(acquirers["A"])


@pytest.fixture
def customer(tenant):
    with atomic(of(tenant.merchant_id, False)) as connection:
        whose = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
        return add_customer(connection, **whose, columns={"name": "Erika Muster"})


@pytest.fixture
def change(tenant, customer):
    def run(what, reason="says it is wrong"):
        with atomic(of(tenant.merchant_id, False)) as connection:
            return what(connection, customer_id=customer["id"], reason=reason, actor="staff:usr_1")

    return run


def test_nothing_new_is_charged_by_whatever_way(tenant, customer, change):
    kept = _pay(tenant, Means("card", card=factories.GOOD_CARD, store=True), customer_id=customer["id"])
    change(restrict)
    for means in (Means("card", card=factories.GOOD_CARD), Means("card", instrument_id=kept.payment["instrument_id"])):
        with pytest.raises(CustomerRestricted):
            _pay(tenant, means, customer_id=customer["id"])
    with pytest.raises(CustomerRestricted):
        _pay(tenant, Means("card", instrument_id=kept.payment["instrument_id"]))
    with pytest.raises(CustomerRestricted):
        _register(tenant, customer)
    assert _payments(tenant) == 1, "a refused one leaves nothing behind"


def test_a_checkout_that_was_open_before_is_not_paid(tenant, customer, change):
    waiting = _pay(tenant, Means("card", card=factories.card("insufficient_funds")), customer_id=customer["id"])
    change(restrict)
    with pytest.raises(CustomerRestricted):
        authorise(
            merchant_id=tenant.merchant_id,
            live=False,
            actor="payer",
            payment_id=waiting.payment["id"],
            means=Means("card", card=factories.GOOD_CARD),
        )


def test_what_was_authorised_before_can_be_captured(tenant, customer, change):
    done = _pay(tenant, Means("card", card=factories.GOOD_CARD), customer_id=customer["id"])
    change(restrict)
    capture(merchant_id=tenant.merchant_id, live=False, payment_id=done.payment["id"], actor="test")
    assert factories.fresh(done)["status"] == "captured"


def test_lifted_it_can_be_charged_again_and_both_are_told_with_before_and_after(tenant, customer, change):
    change(restrict)
    assert change(restrict)["restricted_at"] is not None, "a second time changes nothing"
    change(lift, "checked")
    assert _pay(tenant, Means("card", card=factories.GOOD_CARD), customer_id=customer["id"]).payment["id"]
    with reading(of(tenant.merchant_id, False)) as connection:
        query = text("SELECT name, data FROM events WHERE subject_id = :id AND name <> 'customer.added' ORDER BY id")
        first, second = connection.execute(query, {"id": customer["id"]}).all()
    assert (first.name, second.name) == ("customer.restricted", "customer.released")
    assert (first.data["reason"], second.data["reason"]) == ("says it is wrong", "checked")
    assert first.data["before"]["restricted_at"] is None and second.data["after"]["restricted_at"] is None
    assert first.data["after"] == second.data["before"]


def test_an_erased_customer_cannot_be_restricted(tenant, customer, change):
    with atomic(of(tenant.merchant_id, False)) as connection:
        erase(connection, customer_id=customer["id"], actor="test")
    with pytest.raises(CustomerErased):
        change(restrict)


def test_another_merchants_customer_does_not_exist(tenant, customer, acquirers):
    other = factories.tenant(acquirers["A"])
    with pytest.raises(NotFound), atomic(of(other.merchant_id, False)) as connection:
        restrict(connection, customer_id=customer["id"], reason="", actor="test")


def test_the_api_says_so_with_a_code(app, tenant, customer, change):
    change(restrict)
    order = {
        "amount": 500,
        "currency": "EUR",
        "merchant_reference": "restricted",
        "customer": public_id("cus", customer["id"]),
        "payment_method": {"type": "card", "card": _card()},
    }
    answer = app.test_client().post("/v1/payments", json=order, headers=tenant.headers)
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "customer_restricted"), answer.json


def _card():
    card = factories.GOOD_CARD
    return {
        "number": card.number,
        "expiry_month": card.expiry_month,
        "expiry_year": card.expiry_year,
        "security_code": card.security_code,
    }


def _pay(tenant, means, **order):
    order = factories.an_order(**order)
    return authorise(merchant_id=tenant.merchant_id, live=False, actor="test", order=order, means=means)


def _register(tenant, customer):
    with reading(of(tenant.merchant_id, False)) as connection:
        chosen = connection.execute(CONTRACTS.select().where(CONTRACTS.c.id == tenant.contract_id)).mappings().all()
    return register(
        merchant_id=tenant.merchant_id,
        live=False,
        card=factories.GOOD_CARD,
        chosen=[{**row} for row in chosen],
        currency="EUR",
        actor="test",
        customer_id=customer["id"],
    )


def _payments(tenant):
    with reading(of(tenant.merchant_id, False)) as connection:
        query = text("SELECT count(*) FROM payments WHERE merchant_id = :id")
        return connection.execute(query, {"id": tenant.merchant_id}).scalar_one()


def test_a_guest_who_was_restricted_is_not_charged_either(tenant, acquirers):
    guest = factories.Payer(name="Gesa Gast", email="gesa.restricted@example.com")
    waiting = _pay(tenant, Means("card", card=factories.card("insufficient_funds")), payer=guest)
    with atomic(of(tenant.merchant_id, False)) as connection:
        record = of_guest(connection, payment_id=waiting.payment["id"], actor="staff:usr_1")
        restrict(connection, customer_id=record["id"], reason="asked", actor="staff:usr_1")
    shouted = factories.Payer(name="Gesa Gast", email="Gesa.Restricted@example.com")
    with pytest.raises(CustomerRestricted):
        _pay(tenant, Means("card", card=factories.GOOD_CARD), payer=shouted)
    with pytest.raises(CustomerRestricted):
        authorise(
            merchant_id=tenant.merchant_id,
            live=False,
            actor="payer",
            payment_id=waiting.payment["id"],
            means=Means("card", card=factories.GOOD_CARD),
        )
    assert _payments(tenant) == 1
    elsewhere = factories.tenant(acquirers["A"])
    assert _pay(elsewhere, Means("card", card=factories.GOOD_CARD), payer=shouted), "another merchant's payer"
