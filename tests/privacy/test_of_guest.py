"""Whoever paid as a guest gets a record, and with it the rights of everybody else."""

import pytest
from sqlalchemy import text

from app.connectors.kinds import Payer
from app.core.db import atomic, of, reading
from app.core.errors import NotFound
from app.core.ids import uuid7
from app.privacy.of_guest import NobodyKnown, of_guest
from app.privacy.person import person
from tests import factories


@pytest.fixture(scope="module")
def tenant(app, acquirers):
    with app.app_context():
        return factories.tenant(acquirers["A"])


def ask(tenant, done):
    with atomic(of(tenant.merchant_id, False)) as connection:
        return of_guest(connection, payment_id=done.payment["id"], actor="staff:usr_x")


def told(customer):
    with reading(of(customer["merchant_id"], False)) as connection:
        names = text("SELECT name FROM events WHERE subject_id = :id ORDER BY id")
        return list(connection.execute(names, {"id": customer["id"]}).scalars())


def test_a_guest_gets_a_record_that_has_all_their_payments(context, tenant):
    guest = Payer(name="Gesa Gast", email="Gesa@example.com")
    first = factories.captured(tenant, 1_000, payer=guest)
    second = factories.captured(tenant, 2_000, payer=Payer(name="G. Gast", email="gesa@EXAMPLE.com"))
    factories.captured(tenant, 3_000, payer=Payer(name="Somebody", email="else@example.com"))
    customer = ask(tenant, first)
    assert (customer["name"], customer["email"]) == ("Gesa Gast", "Gesa@example.com")
    assert told(customer) == ["customer.added"]
    with reading(of(tenant.merchant_id, False)) as connection:
        assert set(person(connection, customer["id"]).payments) == {first.payment["id"], second.payment["id"]}


def test_asked_again_it_is_the_same_record(context, tenant):
    guest = Payer(name="Willi Wieder", email="willi@example.com")
    first, second = (factories.captured(tenant, amount, payer=guest) for amount in (1_000, 2_000))
    customer = ask(tenant, first)
    assert ask(tenant, second)["id"] == ask(tenant, first)["id"] == customer["id"]
    assert told(customer) == ["customer.added"]


def test_a_customers_payment_leads_to_the_customer(context, tenant):
    guest = Payer(name="Kira Kundin", email="kira@example.com")
    customer = ask(tenant, factories.captured(tenant, 1_000, payer=guest))
    paid = factories.captured(
        tenant, 1_000, customer_id=customer["id"], payer=Payer(name="K.", email="other@example.com")
    )
    assert ask(tenant, paid)["id"] == customer["id"]


def test_without_an_address_nobody_is_guessed(context, tenant):
    nameless = factories.captured(tenant, 1_000, payer=Payer(name="Erika Muster"))
    with pytest.raises(NobodyKnown):
        ask(tenant, nameless)


def test_a_payment_of_another_merchant_does_not_exist(context, tenant, acquirers):
    other = factories.tenant(acquirers["A"])
    with pytest.raises(NotFound):
        ask(other, factories.captured(tenant, 1_000))
    with pytest.raises(NotFound), atomic(of(tenant.merchant_id, False)) as connection:
        of_guest(connection, payment_id=uuid7(), actor="staff:usr_x")
