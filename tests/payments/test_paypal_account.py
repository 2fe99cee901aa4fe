"""A stored PayPal account is charged as PayPal, whatever the caller calls it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.connectors.kinds import Contract
from app.core.db import ALL, atomic
from app.merchants.add import add_contract
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.perform import Done
from app.payments.resume import resume
from tests import factories
from tests.books import booked, told
from tests.connectors.peers import paypal as peer


@pytest.fixture(scope="module")
def wallet() -> Iterator[Contract]:
    with tempfile.TemporaryDirectory() as journal, peer.serving(Path(journal)) as url:
        yield peer.contract_with(url)


def test_it_is_charged_as_paypal(act, tenant, wallet):
    contract_id = _contract(tenant, wallet)
    kept = _kept(act)
    order = factories.an_order(2_500)
    means = Means("card", instrument_id=kept, initiator="merchant", series="unscheduled")
    done = authorise(**act, order=order, means=means)
    assert (done.payment["status"], done.payment["method"]) == ("authorised", "paypal")
    assert done.operation["contract_id"] == contract_id
    assert "25.00 EUR" in peer.wire_amounts(wallet)
    assert told(done.payment["id"]) == ["payment.created", "authorisation.submitted", "authorisation.succeeded"]
    assert booked(done.payment["id"]) == {}


def _kept(act) -> object:
    """The payer pays with PayPal once and lets us keep the account."""
    asked: Done = authorise(**act, order=factories.an_order(1_990), means=Means("paypal", store=True))
    back = peer.payer_chooses(asked.operation["action"]["url"])
    parameters = dict(parse_qsl(urlsplit(back).query))
    done = resume(**act, operation_id=asked.operation["id"], parameters=parameters)
    assert done.payment["status"] == "authorised"
    return done.payment["instrument_id"]


def _contract(tenant, wallet):
    with atomic(ALL) as connection:
        return add_contract(
            connection,
            merchant_id=tenant.merchant_id,
            live=False,
            provider="paypal",
            label="PayPal",
            settings=wallet.settings,
            actor="test",
        )
