"""A dispute at Stripe from its real messages: into a second round, with a fee that comes late."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app.connectors.kinds import Contract
from app.core.db import ALL, atomic, reading
from app.merchants.add import add_contract, add_merchant
from app.payments import news
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.capture import capture
from app.payments.dispute import DISPUTES
from tests import factories
from tests.books import booked, broken_proofs, told
from tests.connectors.peers import stripe as peer
from tests.connectors.peers._serving import Caught, catcher

ROUNDS = (
    ("warning_needs_response", "inquiry"),
    ("needs_response", "charged_back"),
    ("won", "reversed"),
    ("needs_response", "charged_back"),
)


@pytest.fixture
def stripe() -> Iterator[tuple[Contract, Caught]]:
    with peer.peer() as contract, catcher() as caught:
        peer.order(contract, webhook_url=caught.url)
        yield contract, caught


def test_a_dispute_that_is_won_and_taken_up_again_takes_the_money_again(context, stripe):
    contract, caught = stripe
    contract_id, done = _paid(contract)
    intent = factories.authorisation_of(done)["provider_reference"]
    for status, state in ROUNDS:
        peer.order(contract, dispute={"payment_intent": intent, "status": status})
        while _state(done) != state:
            headers, body = caught.next()
            news.read(news.receive(contract_id, "stripe", headers, body))
    payment = factories.fresh(done)
    assert (payment["status"], payment["charged_back"]) == ("charged_back", 10_000)
    assert told(done.payment["id"]).count("chargeback.succeeded") == 2
    assert told(done.payment["id"]).count("chargeback_reversal.succeeded") == 1
    assert booked(done.payment["id"]) == {
        "provider_balance": -4_000,
        "payer_clearing": -10_000,
        "disputed": 10_000,
        "provider_fees": 4_000,  # Stripe's own sum: 2,000 for each withdrawal
    }
    assert broken_proofs() == {}


def _paid(contract: Contract):
    """A merchant with this contract only, and a payment captured there."""
    with atomic(ALL) as connection:
        merchant_id = add_merchant(connection, name="At Stripe", actor="test")
        contract_id = add_contract(
            connection,
            merchant_id=merchant_id,
            live=False,
            provider="stripe",
            label="Stripe",
            settings=contract.settings,
            actor="test",
        )
    act = {"merchant_id": merchant_id, "live": False, "actor": "test"}
    done = authorise(**act, order=factories.an_order(10_000), means=Means("card", card=factories.GOOD_CARD))
    return contract_id, capture(**act, payment_id=done.payment["id"])


def _state(done) -> str | None:
    with reading(ALL) as connection:
        return connection.execute(select(DISPUTES.c.state).where(DISPUTES.c.payment_id == done.payment["id"])).scalar()
