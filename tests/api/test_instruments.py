"""Instruments through the API."""

import pytest

from app.api.instruments import Instrument, Instruments
from app.core.db import ALL, atomic
from app.merchants.add import add_contract
from tests import factories
from tests.acquirers import RunningAcquirer
from tests.api.conftest import Api, by_card, error_of, fits, order


@pytest.fixture(scope="module")
def two_contracts(app, acquirers: dict[str, RunningAcquirer]) -> Api:
    """A merchant who can charge cards at acquirers A and E."""
    with app.app_context():
        tenant = factories.tenant(acquirers["A"])
        with atomic(ALL) as connection:
            add_contract(
                connection,
                merchant_id=tenant.merchant_id,
                live=False,
                provider="sandbox_card",
                label="Acquirer E",
                settings=acquirers["E"].settings,
                actor="test",
            )
    return Api(app, tenant, tenant.key)


def test_a_card_is_registered_at_every_contract_and_nothing_is_charged(two_contracts, acquirers):
    before = {letter: len(acquirers[letter].did(done="authorised")) for letter in "AE"}
    answer = two_contracts.post("/instruments", {"payment_method": by_card()})
    instrument = fits(Instrument, answer)
    assert answer.status_code == 201
    assert (instrument["brand"], instrument["last4"], instrument["active"]) == ("visa", "4242", True)
    assert all(acquirers[letter].did(done="registered")[-1] for letter in "AE")
    assert before == {letter: len(acquirers[letter].did(done="authorised")) for letter in "AE"}


def test_a_contract_that_is_away_only_shortens_the_list(two_contracts, acquirers):
    acquirers["A"].control(next="close")
    instrument = two_contracts.post("/instruments", {"payment_method": by_card("mastercard")}).get_json()
    means = {"type": "instrument", "instrument": instrument["id"]}
    paid = two_contracts.post("/payments", order(payment_method=means)).get_json()
    assert paid["status"] == "authorised"
    assert acquirers["E"].did(done="authorised")[-1]["amount"] == 10_000


def test_a_card_nobody_takes_is_refused_with_the_reason(api):
    answer = api.post("/instruments", {"payment_method": by_card("card_expired")})
    assert error_of(answer) == (422, "not_registered", "card")
    assert "expired" in answer.get_json()["error"]["message"]


def test_it_is_charged_later_by_its_id(api):
    instrument = api.post("/instruments", {"payment_method": by_card()}).get_json()
    means = {"type": "instrument", "instrument": instrument["id"]}
    assert api.post("/payments", order(payment_method=means)).get_json()["status"] == "authorised"


def test_it_is_not_charged_any_more_once_deactivated(api):
    instrument = api.post("/instruments", {"payment_method": by_card()}).get_json()
    off = api.post(f"/instruments/{instrument['id']}/deactivate")
    assert (off.status_code, fits(Instrument, off)["active"]) == (200, False)
    assert api.post(f"/instruments/{instrument['id']}/deactivate").status_code == 200
    means = {"type": "instrument", "instrument": instrument["id"]}
    refused = api.post("/payments", order(payment_method=means))
    assert error_of(refused) == (409, "instrument_inactive", "payment_method.instrument")


def test_those_of_a_customer_are_listed(api):
    customer = api.post("/customers", {"name": "Erika"}).get_json()["id"]
    mine = api.post("/instruments", {"payment_method": by_card(), "customer": customer}).get_json()
    assert mine["customer"] == customer
    assert fits(Instruments, api.get(f"/instruments?customer={customer}"))["data"] == [mine]
    assert fits(Instrument, api.get(f"/instruments/{mine['id']}")) == mine


def test_another_merchants_customer_gets_no_card(api, foreign):
    customer = foreign.post("/customers", {}).get_json()["id"]
    answer = api.post("/instruments", {"payment_method": by_card(), "customer": customer})
    assert error_of(answer) == (404, "not_found", "customer")


def test_a_currency_without_a_contract_has_no_route(api):
    answer = api.post("/instruments", {"payment_method": by_card(), "currency": "USD"})
    assert error_of(answer)[:2] == (422, "no_route")
