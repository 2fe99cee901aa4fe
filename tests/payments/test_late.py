"""A yes that came too late is given back by itself, whatever stands in the way, and closes nobody else's payment."""

import json
from datetime import timedelta
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import select

from app.connectors.kinds import Answer, News, Outcome
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.payments import news
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.cancel import cancel
from app.payments.effect import Effect
from app.payments.expire import expire_authorisations
from app.payments.perform import apply_answer
from app.payments.queries import OPERATIONS, held_operation
from app.payments.record import record
from app.payments.resolve import resolve
from app.payments.resume import resume
from tests import factories
from tests.books import booked, broken_proofs, told


@pytest.fixture
def tenant(context, acquirers):
    """At acquirer B, which authorises as soon as the payer has said yes at their bank."""
    return factories.tenant(acquirers["B"])


@pytest.fixture
def given_up(tenant):
    """An attempt whose payer was sent to their bank."""
    return factories.authorised(tenant, card=factories.card("challenge"))


def test_a_cancellation_that_could_not_be_sent_is_sent_again(tenant, given_up, acquirers):
    _try_again(tenant, given_up, "visa")
    late = _said_yes_after_all(tenant, given_up)
    acquirers["B"].control(down="busy")
    try:
        assert _resolve(tenant, late["id"]).operation["state"] == "failed"
    finally:
        acquirers["B"].control(down=None)
    [again] = _open_cancellations(given_up)
    assert again["enquire_at"] > now() + timedelta(seconds=20)
    assert _resolve(tenant, again["id"]).operation["state"] == "succeeded"
    payment = factories.fresh(given_up)
    assert (payment["status"], payment["authorised"], payment["cancelled"]) == ("authorised", 20_000, 10_000)
    assert told(given_up.payment["id"])[-2:] == ["cancellation.submitted", "cancellation.succeeded"]
    assert broken_proofs() == {}


def test_a_cancellation_that_is_refused_is_a_fact(tenant, given_up, acquirers):
    _try_again(tenant, given_up, "visa")
    late = _said_yes_after_all(tenant, given_up)
    _capture_in_portal(acquirers["B"], given_up)
    assert _resolve(tenant, late["id"]).operation["state"] == "declined"
    assert factories.fresh(given_up)["authorised"] == 20_000
    assert booked(given_up.payment["id"]) == {}
    assert broken_proofs() == {}


def test_what_a_refused_cancellation_left_reserved_lapses_with_its_authorisation(tenant, given_up):
    _try_again(tenant, given_up, "visa")
    late = _said_yes_after_all(tenant, given_up)
    _cancellation_refused(tenant, late)
    assert _sums(given_up) == ("authorised", 20_000, 0)
    expire_authorisations(1_000)
    assert _sums(given_up) == ("authorised", 20_000, 0), "it is good for days"
    factories.move_clock(tenant, days=8)
    expire_authorisations(1_000)
    assert _sums(given_up) == ("expired", 20_000, 20_000)
    assert told(given_up.payment["id"])[-2:] == ["cancellation.succeeded"] * 2
    assert booked(given_up.payment["id"]) == {} and broken_proofs() == {}


def test_what_lapses_of_an_attempt_that_is_over_ends_no_payment(act, tenant, given_up):
    cancel(**act, payment_id=given_up.payment["id"])
    late = _said_yes_after_all(tenant, given_up)
    _cancellation_refused(tenant, late)
    factories.move_clock(tenant, days=8)
    expire_authorisations(1_000)
    assert _sums(given_up) == ("cancelled", 10_000, 10_000)
    assert broken_proofs() == {}


def _cancellation_refused(tenant, late):
    """By the acquirer, for whatever reason; the money stays reserved there."""
    with atomic(of(tenant.merchant_id, False)) as connection:
        held = held_operation(connection, late["id"])
        record(connection, held, Effect("submitted"), actor="test")
        apply_answer(connection, held_operation(connection, late["id"]), Answer(Outcome.DECLINED), actor="test")


def _sums(done):
    payment = factories.fresh(done)
    return payment["status"], payment["authorised"], payment["cancelled"]


def test_what_was_taken_before_we_heard_the_late_yes_is_not_given_back_as_reserved(tenant, given_up, acquirers):
    _try_again(tenant, given_up, "visa")
    reference = given_up.operation["provider_reference"]
    fact = News(
        id=f"portal-{given_up.payment['id']}",
        kind="capture",
        outcome=Outcome.APPROVED,
        amount=2_500,
        currency="EUR",
        provider_reference="portal",
        authorisation_reference=reference,
    )
    with atomic(of(tenant.merchant_id, False)) as connection:
        assert news.book(connection, tenant.contract_id, fact)
    assert _said_yes_after_all(tenant, given_up)["amount"] == 7_500
    assert factories.fresh(given_up)["over_captured"] == 0
    assert booked(given_up.payment["id"]) == {"provider_balance": 2_500, "payer_clearing": -2_500}
    assert broken_proofs() == {}


def test_giving_back_the_first_attempt_leaves_the_second_alone(tenant, given_up):
    second = _try_again(tenant, given_up, "challenge")
    late = _said_yes_after_all(tenant, given_up)
    assert _resolve(tenant, late["id"]).operation["state"] == "succeeded"
    assert factories.fresh(given_up)["status"] == "requires_action"
    done = resume(
        merchant_id=tenant.merchant_id,
        live=False,
        operation_id=second.operation["id"],
        parameters=factories.pass_challenge(second),
        actor="payer",
    )
    assert done.payment["status"] == "authorised"
    assert told(given_up.payment["id"]).count("payment.late_approval_reversed") == 1


def _try_again(tenant, given_up, card):
    return authorise(
        merchant_id=tenant.merchant_id,
        live=False,
        payment_id=given_up.payment["id"],
        means=Means("card", card=factories.card(card)),
        actor="payer",
    )


def _said_yes_after_all(tenant, given_up):
    """The payer says yes to what was given up, and the acquirer tells it. Returns the cancellation written for it."""
    factories.pass_challenge(given_up)
    reference = given_up.operation["provider_reference"]
    assert factories.hear(tenant, given_up, "authorise", "approved", 10_000, reference=reference)
    [late] = _open_cancellations(given_up)
    return late


def _open_cancellations(done):
    wanted = (
        OPERATIONS.c.payment_id == done.payment["id"],
        OPERATIONS.c.kind == "cancel",
        OPERATIONS.c.state == "created",
    )
    with reading(ALL) as connection:
        return connection.execute(select(OPERATIONS).where(*wanted)).mappings().all()


def _resolve(tenant, operation_id):
    return resolve(operation_id, merchant_id=tenant.merchant_id, live=False)


def _capture_in_portal(acquirer, done) -> None:
    """Somebody takes the money at the acquirer itself."""
    request = Request(
        f"{acquirer.url}/v1/authorisations/{done.operation['provider_reference']}/captures",
        json.dumps({"amount": 10_000, "currency": "EUR"}).encode(),
        {"Authorization": f"Bearer {acquirer.settings['api_key']}", "Idempotency-Key": f"portal-{done.payment['id']}"},
    )
    with urlopen(request, timeout=5) as answer:
        assert answer.status == 200
