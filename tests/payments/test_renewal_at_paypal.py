"""A renewal at PayPal whose answer was lost, heard of by its webhook: it carries the first authorisation's key."""

import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import select

from app.core.db import ALL, atomic, reading
from app.merchants.add import add_contract, add_merchant
from app.payments import news
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.capture import capture
from app.payments.queries import AUTHORISATIONS, OPERATIONS
from app.payments.reauthorise import RenewalUnderWay
from app.payments.resume import resume
from tests import factories
from tests.books import booked, broken_proofs, told
from tests.connectors.peers import paypal as peer


def test_a_renewal_that_only_the_webhook_tells_of_takes_the_old_ones_place(context):
    with tempfile.TemporaryDirectory() as journal, peer.serving(Path(journal)) as url:
        wallet = peer.contract_with(url)
        tenant, done = _authorised(wallet)
        act = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
        factories.move_clock(tenant, days=4)
        peer.control(wallet, next={"verb": "authorise", "do": "timeout_after_success", "seconds": 3})
        with pytest.raises(RenewalUnderWay):  # nothing is captured on the one that may be replaced already
            capture(**act, payment_id=done.payment["id"], amount=4_000)
        [first, renewal] = _authorise_operations(done)
        assert (first.state, renewal.state) == ("succeeded", "unknown")
        for _ in range(2):
            _hear_of_the_renewal(wallet, tenant, first.reference)
        [first, renewal] = _authorise_operations(done)
        assert (renewal.state, renewal.is_open, first.is_open) == ("succeeded", True, False)
        assert capture(**act, payment_id=done.payment["id"], amount=4_000).operation["state"] == "succeeded"
        payment = factories.fresh(done)
        assert (payment["status"], payment["captured"]) == ("partially_captured", 4_000)
        assert told(done.payment["id"]).count("authorisation.succeeded") == 2
        assert booked(done.payment["id"]) == {"provider_balance": 4_000, "payer_clearing": -4_000}
        assert broken_proofs() == {}


def _authorised(wallet):
    with atomic(ALL) as connection:
        merchant_id = add_merchant(connection, name="At PayPal", actor="test")
        contract_id = add_contract(
            connection,
            merchant_id=merchant_id,
            live=False,
            provider="paypal",
            label="PayPal",
            settings=wallet.settings,
            actor="test",
        )
    tenant = factories.Tenant(merchant_id, merchant_id, contract_id, "", merchant_id)
    act = {"merchant_id": merchant_id, "live": False, "actor": "test"}
    asked = authorise(**act, order=factories.an_order(10_000), means=Means("paypal"))
    back = peer.payer_chooses(asked.operation["action"]["url"])
    parameters = dict(parse_qsl(urlsplit(back).query))
    return tenant, resume(**act, operation_id=asked.operation["id"], parameters=parameters)


def _hear_of_the_renewal(wallet, tenant, first) -> None:
    """PAYMENT.AUTHORIZATION.CREATED as PayPal sends it, signed."""
    [renewed] = [one for one in peer.things(wallet, "authorizations") if one["id"] != first]
    event = {"webhook_id": "WEBHOOK1", "event_type": "PAYMENT.AUTHORIZATION.CREATED", "resource": renewed}
    signed = peer.control(wallet, sign=event)["sign"]
    headers = {name.lower(): value for name, value in signed["headers"].items()}
    news.read(news.receive(tenant.contract_id, "paypal", headers, signed["body"].encode()))


def _authorise_operations(done):
    query = (
        select(OPERATIONS.c.state, AUTHORISATIONS.c.provider_reference.label("reference"), AUTHORISATIONS.c.is_open)
        .join(AUTHORISATIONS, AUTHORISATIONS.c.id == OPERATIONS.c.authorisation_id)
        .where(OPERATIONS.c.payment_id == done.payment["id"], OPERATIONS.c.kind == "authorise")
        .order_by(OPERATIONS.c.id)
    )
    with reading(ALL) as connection:
        return connection.execute(query).all()
