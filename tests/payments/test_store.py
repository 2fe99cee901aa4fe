"""A card given to be kept: it can be charged again once its payment succeeded, at every contract that took it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from app.connectors.kinds import Answer, Outcome
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.errors import NotFound
from app.customers.models import Instrument, InstrumentToken
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.fetch_details import fetch_details
from app.payments.perform import record_answer
from app.payments.queries import CONTRACTS, OPERATIONS
from app.payments.resume import resume
from tests import factories
from tests.books import booked, broken_proofs, told


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


def test_a_card_is_kept_although_news_of_the_yes_came_before_the_payer(act, tenant):
    """A notification carries no token: the provider is asked for it."""
    asked = _pay_and_keep(act, factories.card("challenge"))
    parameters = factories.pass_challenge(asked)
    _hear_yes(tenant, asked)
    assert (factories.fresh(asked)["status"], factories.fresh(asked)["instrument_id"]) == ("authorised", None)
    assert _told(tenant) == []
    resume(**act, operation_id=asked.operation["id"], parameters=parameters)
    assert fetch_details(100) == 1
    done = factories.fresh(asked)
    kept = _instrument(done["instrument_id"])
    assert (kept["brand"], kept["pending"], _tokens(kept["id"])) == (done["brand"], False, [tenant.contract_id])
    assert done["brand"] and factories.authorisation_of(asked)["scheme_transaction_id"]
    assert _charge(act, kept["id"]).payment["status"] == "authorised"
    assert _told(tenant) == ["instrument.added"]
    assert told(asked.payment["id"]).count("authorisation.succeeded") == 1
    assert booked(asked.payment["id"]) == {} and broken_proofs() == {}
    assert fetch_details(100) == 0


def test_the_acquirer_is_asked_where_the_payer_never_came_back(act, context, acquirers):
    """Acquirer B authorises as soon as the payer has said yes at their bank."""
    tenant = factories.tenant(acquirers["B"])
    asked = _pay_and_keep({**act, "merchant_id": tenant.merchant_id}, factories.card("challenge"))
    factories.pass_challenge(asked)
    _hear_yes(tenant, asked)
    assert fetch_details(100) == 1
    assert _tokens(factories.fresh(asked)["instrument_id"]) == [tenant.contract_id]
    assert _told(tenant) == ["instrument.added"]


def test_what_news_does_not_say_is_filled_by_the_answer_that_it_overtook(act, tenant):
    """The answer to an authorisation was on its way when the notification of it was booked."""
    done = factories.authorised(tenant, card=factories.card("pending"))
    _hear_yes(tenant, done)
    assert factories.authorisation_of(done)["scheme_transaction_id"] is None
    late = Answer(
        *(Outcome.APPROVED, done.operation["provider_reference"]),
        brand="visa",
        funding="credit",
        issuer_country="DE",
        scheme_transaction_id="scheme-1",
    )
    before = told(done.payment["id"])
    for _ in range(2):
        record_answer(
            merchant_id=tenant.merchant_id,
            live=False,
            actor="test",
            operation_id=done.operation["id"],
            answer=late,
        )
    row = factories.authorisation_of(done)
    assert (row["brand"], row["funding"], row["issuer_country"], row["scheme_transaction_id"]) == (
        *("visa", "credit", "DE"),
        "scheme-1",
    )
    assert factories.fresh(done)["brand"] == "visa"
    assert (row["authorised"], factories.fresh(done)["authorised"]) == (10_000, 10_000)
    assert told(done.payment["id"]) == before


def test_nobody_asks_for_what_nobody_keeps(act, tenant):
    done = factories.authorised(tenant, card=factories.card("pending"))
    _hear_yes(tenant, done)
    assert fetch_details(100) == 0


def test_asking_for_a_token_ends_after_a_day(act, tenant, acquirers):
    asked = _pay_and_keep(act, factories.card("challenge"))
    _hear_yes(tenant, asked)  # of an acquirer that itself still waits for the payer: it has no token
    for hours in (1, 23, 25):
        waited = {"updated_at": now() - timedelta(hours=hours), "enquire_at": now()}
        with atomic(ALL) as connection:
            mine = OPERATIONS.c.id == asked.operation["id"]
            connection.execute(update(OPERATIONS).where(mine).values(waited))
        assert fetch_details(100) == 1
        assert fetch_details(100) == 0
    with reading(ALL) as connection:
        query = select(OPERATIONS.c.enquire_at).where(OPERATIONS.c.id == asked.operation["id"])
        assert connection.execute(query).scalar_one() is None
    assert _told(tenant) == []


def _hear_yes(tenant, done):
    reference = done.operation["provider_reference"]
    assert factories.hear(tenant, done, "authorise", "approved", 10_000, reference=reference)


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
