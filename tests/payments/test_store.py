"""A card given to be kept: it can be charged again once its payment succeeded, at every contract that took it."""

import pytest
from sqlalchemy import select, text, update

from app.core.db import ALL, atomic, reading
from app.core.errors import NotFound
from app.customers.models import Instrument, InstrumentToken
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.queries import CONTRACTS
from app.payments.resume import resume
from tests import factories


def test_a_card_is_kept_with_what_its_number_told(act, tenant):
    done = _pay_and_keep(act, factories.GOOD_CARD)
    kept = _instrument(done.payment["instrument_id"])
    assert (kept["brand"], kept["last4"], kept["expiry_year"], kept["holder"], kept["pending"]) == (
        *("visa", "4242", 2031, "Erika Muster"),
        False,
    )
    assert kept["fingerprint"]
    assert _told(tenant) == ["instrument.added"]


def test_a_card_that_needs_3d_secure_is_kept_when_the_payer_has_confirmed(act, tenant):
    asked = _pay_and_keep(act, factories.card("challenge"))
    assert asked.payment["instrument_id"] is None
    assert _told(tenant) == []
    parameters = factories.pass_challenge(asked)
    done = resume(**act, operation_id=asked.operation["id"], parameters=parameters)
    assert done.payment["status"] == "authorised"
    assert _charge(act, done.payment["instrument_id"]).payment["status"] == "authorised"
    assert _told(tenant) == ["instrument.added"]


def test_a_kept_card_can_be_charged_at_another_contract(act, tenant, acquirers):
    other = factories.add_contract_to(tenant, acquirers["C"].url, priority=200, acquirer=acquirers["C"])
    done = _pay_and_keep(act, factories.GOOD_CARD)
    with atomic(ALL) as connection:
        connection.execute(update(CONTRACTS).where(CONTRACTS.c.id == tenant.contract_id).values(active=False))
    again = _charge(act, done.payment["instrument_id"])
    assert again.payment["status"] == "authorised"
    assert again.operation["contract_id"] == other
    assert _told(tenant) == ["instrument.added"]


def test_a_contract_that_refuses_to_register_only_shortens_the_list(act, tenant):
    factories.add_contract_to(tenant, "http://127.0.0.1:9", priority=200)
    done = _pay_and_keep(act, factories.GOOD_CARD)
    assert done.payment["status"] == "authorised"
    assert _tokens(done.payment["instrument_id"]) == [tenant.contract_id]


def test_a_contract_that_is_silent_when_it_registers_costs_the_payer_seconds_at_most(act, tenant, acquirers):
    factories.add_contract_to(tenant, acquirers["C"].url, priority=200, acquirer=acquirers["C"])
    acquirers["C"].control(hang=True)
    try:
        done = _pay_and_keep(act, factories.GOOD_CARD)
    finally:
        acquirers["C"].control(hang=False)
    assert done.payment["status"] == "authorised"
    assert _tokens(done.payment["instrument_id"]) == [tenant.contract_id]


@pytest.mark.parametrize("name", ["insufficient_funds", "stolen_card"])
def test_a_declined_card_is_not_kept(act, tenant, name):
    done = _pay_and_keep(act, factories.card(name))
    assert (done.payment["status"], done.payment["instrument_id"]) == ("failed", None)
    with reading(ALL) as connection:
        waiting = connection.execute(
            select(Instrument.id).where(Instrument.merchant_id == tenant.merchant_id)
        ).scalar_one()
    with pytest.raises(NotFound):
        _charge(act, waiting)
    assert _told(tenant) == []


def _pay_and_keep(act, card):
    return authorise(**act, order=factories.an_order(), means=Means("card", card=card, store=True))


def _charge(act, instrument_id):
    means = Means("card", instrument_id=instrument_id, initiator="merchant", series="unscheduled")
    return authorise(**act, order=factories.an_order(700), means=means)


def _instrument(instrument_id):
    with reading(ALL) as connection:
        return connection.execute(select(Instrument.__table__).where(Instrument.id == instrument_id)).mappings().one()


def _tokens(instrument_id):
    with reading(ALL) as connection:
        query = select(InstrumentToken.contract_id).where(InstrumentToken.instrument_id == instrument_id)
        return list(connection.execute(query).scalars())


def _told(tenant):
    with reading(ALL) as connection:
        query = text("SELECT name FROM events WHERE merchant_id = :id AND subject_type = 'instrument' ORDER BY id")
        return list(connection.execute(query, {"id": tenant.merchant_id}).scalars())
