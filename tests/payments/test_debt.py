"""A debt exists once, however many checkouts are made for it: one collects at a time, and no more than is due."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.connectors.kinds import Answer, Outcome
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.errors import NotFound
from app.payments import checkout, expire
from app.payments.attempt import Means
from app.payments.cancel import cancel
from app.payments.capture import capture
from app.payments.checkout import CHECKOUTS
from app.payments.perform import record_answer
from app.payments.queries import OPERATIONS
from app.payments.refund import refund
from app.payments.resume import resume
from app.receivables.collect import COLLECTORS, RECEIVABLES, BeingCollected, LessDue, NothingDue
from tests import factories
from tests.books import booked, broken_proofs, told

CARD = Means("card", card=factories.GOOD_CARD)
ASKED = Means("card", card=factories.card("challenge"))


@pytest.fixture
def first(tenant):
    return _open(tenant)


@pytest.fixture
def second(tenant, first):
    return _open(tenant, receivable_id=first.payment["receivable_id"])


def test_two_checkouts_of_one_debt_take_its_money_once(act, acquirers, first, second):
    checkout.pay(first, CARD)
    with pytest.raises(BeingCollected):
        checkout.pay(second, CARD)
    capture(**act, payment_id=first.payment["id"])
    with pytest.raises(NothingDue):
        checkout.pay(second, CARD)
    assert _debt(first) == {"due": 0, "credit": 0, "collectors": {first.payment["id"]: "done"}}
    assert told(second.payment["id"]) == ["payment.created", "checkout.created"]
    assert booked(second.payment["id"]) == {}
    assert len(acquirers["A"].did(done="authorised", reference=first.payment["merchant_reference"])) == 1


def test_no_checkout_is_opened_for_what_is_paid_or_for_more_than_is_due(act, tenant, first):
    debt = first.payment["receivable_id"]
    with pytest.raises(LessDue):
        _open(tenant, 5_001, receivable_id=debt)
    with pytest.raises(checkout.OtherCurrency):
        _open(tenant, receivable_id=debt, currency="USD")
    checkout.pay(first, CARD)
    capture(**act, payment_id=first.payment["id"])
    with pytest.raises(NothingDue):
        _open(tenant, receivable_id=debt)


def test_a_strangers_debt_does_not_exist(acquirers, first):
    with pytest.raises(NotFound):
        _open(factories.tenant(acquirers["A"]), receivable_id=first.payment["receivable_id"])


def test_after_a_no_the_other_checkout_may_collect(first, second):
    checkout.pay(first, Means("card", card=factories.card("insufficient_funds")))
    assert checkout.pay(second, CARD).payment["status"] == "authorised"
    with pytest.raises(BeingCollected):
        checkout.pay(first, CARD)


def test_what_was_not_captured_and_is_released_can_be_collected_by_another(act, first, second):
    checkout.pay(first, CARD)
    capture(**act, payment_id=first.payment["id"], amount=2_000)
    assert _debt(first)["collectors"] == {first.payment["id"]: "submitted"}
    cancel(**act, payment_id=first.payment["id"])
    assert _debt(first) == {"due": 3_000, "credit": 0, "collectors": {first.payment["id"]: "released"}}
    with pytest.raises(LessDue):
        checkout.pay(second, CARD)
    asked = checkout.read(second.checkout["id"])
    assert asked.payment["amount"] == 3_000
    assert told(second.payment["id"])[-1] == "payment.amount_lowered"
    done = checkout.pay(asked, CARD)
    assert done.payment["authorised"] == 3_000
    capture(**act, payment_id=second.payment["id"])
    assert _debt(first)["due"] == 0
    assert booked(second.payment["id"]) == {"provider_balance": 3_000, "payer_clearing": -3_000}
    assert broken_proofs() == {}


def test_a_last_capture_of_a_part_frees_the_rest(act, first):
    checkout.pay(first, CARD)
    capture(**act, payment_id=first.payment["id"], amount=2_000, final=True)
    payment = checkout.read(first.checkout["id"]).payment
    assert payment["captured"] + payment["cancelled"] == payment["authorised"]
    assert _debt(first) == {"due": 3_000, "credit": 0, "collectors": {first.payment["id"]: "released"}}


def test_a_capture_that_is_taken_back_is_due_again(act, tenant, first, second):
    checkout.pay(first, CARD)
    done = capture(**act, payment_id=first.payment["id"])
    factories.hear(tenant, done, "capture", "declined", 5_000, reference="gone")
    assert told(first.payment["id"])[-1] == "capture.revoked"
    assert _debt(first) == {"due": 5_000, "credit": 0, "collectors": {first.payment["id"]: "submitted"}}
    with pytest.raises(BeingCollected):  # it is still reserved there, and can be captured again
        checkout.pay(second, CARD)
    assert booked(first.payment["id"]) == {}
    assert broken_proofs() == {}


def test_a_refund_does_not_make_it_due_again(act, tenant, first):
    checkout.pay(first, CARD)
    capture(**act, payment_id=first.payment["id"])
    refund(**act, payment_id=first.payment["id"])
    assert _debt(first)["due"] == 0


def test_a_second_card_of_the_same_checkout_keeps_the_debt(first, second):
    checkout.pay(first, ASKED)
    checkout.pay(first, ASKED)
    assert _debt(first)["collectors"] == {first.payment["id"]: "open"}
    with pytest.raises(BeingCollected):
        checkout.pay(second, CARD)


def test_a_payer_who_does_not_come_back_loses_the_debt_to_another_and_a_late_yes_is_given_back(acquirers, context):
    tenant = factories.tenant(acquirers["B"])
    first = _open(tenant)
    second = _open(tenant, receivable_id=first.payment["receivable_id"])
    waiting = checkout.pay(first, ASKED)
    _lapse(first)
    assert checkout.pay(second, CARD).payment["status"] == "authorised"
    factories.pass_challenge(waiting)
    reference = waiting.operation["provider_reference"]
    assert factories.hear(tenant, waiting, "authorise", "approved", 5_000, reference=reference)
    assert told(first.payment["id"])[-2:] == ["authorisation.succeeded", "payment.late_approval_reversed"]
    given_back = checkout.read(first.checkout["id"])
    assert (given_back.checkout["state"], given_back.payment["cancel_pending"]) == ("open", 5_000)
    assert _debt(first)["collectors"] == {first.payment["id"]: "released", second.payment["id"]: "submitted"}
    assert broken_proofs() == {}


def test_a_payer_who_comes_back_late_still_pays_if_nobody_else_does(tenant, first):
    waiting = checkout.pay(first, ASKED)
    _lapse(first)
    parameters = factories.pass_challenge(waiting)
    mine = {"merchant_id": tenant.merchant_id, "live": False, "actor": "payer"}
    done = resume(**mine, operation_id=waiting.operation["id"], parameters=parameters)
    assert done.payment["status"] == "authorised"
    assert checkout.read(first.checkout["id"]).checkout["state"] == "completed"
    assert _debt(first)["collectors"] == {first.payment["id"]: "submitted"}


def test_a_checkout_whose_time_is_over_waits_for_the_payer_at_their_bank_and_no_longer(acquirers, context):
    tenant = factories.tenant(acquirers["B"])
    first = _open(tenant)
    waiting = checkout.pay(first, ASKED)
    _end(first)
    expire.expire_checkouts(100)
    assert checkout.read(first.checkout["id"]).checkout["state"] == "open"
    _begun_before(waiting, timedelta(minutes=31))
    expire.expire_checkouts(100)
    closed = checkout.read(first.checkout["id"])
    assert (closed.checkout["state"], closed.payment["status"]) == ("expired", "expired")
    assert told(first.payment["id"])[-2:] == ["authorisation.declined", "checkout.expired"]
    assert _debt(first)["collectors"] == {first.payment["id"]: "released"}
    factories.pass_challenge(waiting)
    reference = waiting.operation["provider_reference"]
    assert factories.hear(tenant, waiting, "authorise", "approved", 5_000, reference=reference)
    late = checkout.read(first.checkout["id"])
    assert (late.checkout["state"], late.payment["cancel_pending"]) == ("expired", 5_000)
    assert told(first.payment["id"])[-2:] == ["authorisation.succeeded", "payment.late_approval_reversed"]
    assert booked(first.payment["id"]) == {}
    assert broken_proofs() == {}


def test_who_comes_back_in_time_completes_a_checkout_whose_time_is_over(tenant, first):
    waiting = checkout.pay(first, ASKED)
    _end(first)
    expire.expire_checkouts(100)
    parameters = factories.pass_challenge(waiting)
    mine = {"merchant_id": tenant.merchant_id, "live": False, "actor": "payer"}
    resume(**mine, operation_id=waiting.operation["id"], parameters=parameters)
    assert checkout.read(first.checkout["id"]).checkout["state"] == "completed"


@pytest.mark.parametrize("card", ["pending", "garbled"])
def test_what_a_provider_has_in_hand_is_never_closed_by_time(tenant, first, card):
    waiting = checkout.pay(first, Means("card", card=factories.card(card)))
    assert waiting.payment["status"] == "pending"
    mine = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    _end(first)
    _begun_before(waiting, timedelta(hours=30))
    expire.expire_checkouts(100)
    assert checkout.read(first.checkout["id"]).checkout["state"] == "open"
    assert _debt(first)["collectors"] == {first.payment["id"]: "submitted"}
    record_answer(**mine, operation_id=waiting.operation["id"], answer=Answer(Outcome.DECLINED))
    expire.expire_checkouts(100)
    assert checkout.read(first.checkout["id"]).checkout["state"] == "expired"
    assert _debt(first)["collectors"] == {first.payment["id"]: "released"}


def _open(tenant, amount=5_000, **order):
    return checkout.open_checkout(
        factories.an_order(amount, **order), merchant_id=tenant.merchant_id, live=False, actor="test"
    )


def _debt(opened):
    """What is due, what came in too much, and the newest state of each payment that collected."""
    debt = opened.payment["receivable_id"]
    with reading(ALL) as connection:
        row = connection.execute(select(RECEIVABLES).where(RECEIVABLES.c.id == debt)).mappings().one()
        states = connection.execute(
            select(COLLECTORS.c.payment_id, COLLECTORS.c.state)
            .where(COLLECTORS.c.receivable_id == debt)
            .order_by(COLLECTORS.c.id)
        ).all()
    return {"due": row["due"], "credit": row["credit"], "collectors": dict(tuple(state) for state in states)}


def _lapse(opened) -> None:
    """Half an hour has gone by."""
    with atomic(ALL) as connection:
        connection.execute(
            update(COLLECTORS)
            .where(COLLECTORS.c.payment_id == opened.payment["id"], COLLECTORS.c.state == "open")
            .values(lapses_at=now() - timedelta(seconds=1))
        )


def _end(opened) -> None:
    with atomic(ALL) as connection:
        connection.execute(
            update(CHECKOUTS).where(CHECKOUTS.c.id == opened.checkout["id"]).values(expires_at=now() - timedelta(1))
        )


def _begun_before(done, age: timedelta) -> None:
    with atomic(ALL) as connection:
        connection.execute(
            update(OPERATIONS).where(OPERATIONS.c.id == done.operation["id"]).values(created_at=now() - age)
        )
