"""The payer comes back from an action. What they did is never lost, whatever the provider's line does meanwhile."""

from app.payments.resolve import resolve
from app.payments.resume import resume
from tests import factories
from tests.books import booked, told


def test_a_provider_that_is_down_when_the_payer_comes_back_is_asked_until_it_answers(act, tenant, acquirers):
    asked = factories.authorised(tenant, 5_000, card=factories.card("challenge"), capture_mode="automatic")
    parameters = factories.pass_challenge(asked)
    acquirers["A"].control(down="close")
    try:
        waiting = resume(**act, operation_id=asked.operation["id"], parameters=parameters)
        assert waiting.operation["state"] == "unknown"
        assert waiting.payment["status"] == "pending"
        assert _resolve(tenant, asked).operation["state"] == "unknown"
    finally:
        acquirers["A"].control(down=None)
    assert _resolve(tenant, asked).operation["state"] == "succeeded"
    assert factories.fresh(asked)["authorised"] == 5_000
    assert told(asked.payment["id"]).count("authorisation.succeeded") == 1
    assert len(acquirers["A"].did(done="authorised", reference=asked.payment["merchant_reference"])) == 1


def test_a_second_return_asks_nobody(act, tenant, acquirers):
    asked = factories.authorised(tenant, card=factories.card("challenge"))
    parameters = factories.pass_challenge(asked)
    first = resume(**act, operation_id=asked.operation["id"], parameters=parameters)
    second = resume(**act, operation_id=asked.operation["id"], parameters=parameters)
    assert (first.payment["status"], second.payment["status"]) == ("authorised", "authorised")
    assert told(asked.payment["id"]).count("authorisation.succeeded") == 1
    assert booked(asked.payment["id"]) == {}


def _resolve(tenant, done):
    return resolve(done.operation["id"], merchant_id=tenant.merchant_id, live=False)
