"""Authorising: the state, what was told, what was booked (nothing: no money has moved yet)."""

import pytest
from sqlalchemy import select, text, update

from app.connectors.kinds import Payer
from app.core.db import ALL, atomic, reading
from app.core.errors import NotFound
from app.core.ids import uuid7
from app.customers.instruments import card_fingerprint
from app.payments.attempt import Means
from app.payments.authorise import AlreadyPaid, AttemptUnderWay, authorise
from app.payments.queries import AUTHORISATIONS, CONTRACTS, OPERATIONS
from app.payments.resume import resume
from app.payments.start import AmountOutOfRange, CaptureDateNeeded
from app.risk.checks.block_list import fingerprint
from app.risk.models import AmountCeiling, BlockEntry
from app.routing.choose import NoRoute
from tests import factories
from tests.books import booked, told


def test_an_approved_card_is_reserved_and_told(tenant, acquirers):
    done = factories.authorised(tenant, 4_999)
    assert done.payment["status"] == "authorised"
    assert done.payment["authorised"] == 4_999
    assert (done.payment["brand"], done.payment["last4"]) == ("visa", "4242")
    assert told(done.payment["id"]) == ["payment.created", "authorisation.submitted", "authorisation.succeeded"]
    assert booked(done.payment["id"]) == {}
    journal = acquirers["A"].did(done="authorised", reference=done.payment["merchant_reference"])
    assert [line["amount"] for line in journal] == [4_999]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("insufficient_funds", "insufficient_funds"),
        ("card_expired", "expired_card"),
        ("suspected_fraud", "suspected_fraud"),
        ("stolen_card", "lost_or_stolen"),
        ("invalid_security_code", "wrong_security_code"),
    ],
)
def test_a_decline_is_an_answer_with_a_reason(tenant, name, code):
    done = factories.authorised(tenant, card=factories.card(name))
    assert (done.payment["status"], done.operation["state"], done.operation["code"]) == ("failed", "declined", code)
    assert told(done.payment["id"])[-1] == "authorisation.declined"
    assert booked(done.payment["id"]) == {}


def test_after_a_decline_another_card_can_be_tried(tenant):
    first = factories.authorised(tenant, card=factories.card("insufficient_funds"))
    second = authorise(
        merchant_id=tenant.merchant_id,
        live=False,
        payment_id=first.payment["id"],
        means=Means("card", card=factories.GOOD_CARD),
        actor="test",
    )
    assert second.payment["status"] == "authorised"
    with reading(ALL) as connection:
        attempts = connection.execute(
            select(AUTHORISATIONS.c.attempt, AUTHORISATIONS.c.is_open)
            .where(AUTHORISATIONS.c.payment_id == first.payment["id"])
            .order_by(AUTHORISATIONS.c.attempt)
        ).all()
    assert [tuple(row) for row in attempts] == [(1, False), (2, True)]


def test_an_authorised_payment_is_not_authorised_again(tenant):
    done = factories.authorised(tenant)
    with pytest.raises(AlreadyPaid):
        authorise(
            merchant_id=tenant.merchant_id,
            live=False,
            payment_id=done.payment["id"],
            means=Means("card", card=factories.GOOD_CARD),
            actor="test",
        )


def test_a_time_out_is_unknown_and_holds_the_payment(tenant, acquirers):
    done = factories.authorised(tenant, card=factories.card("no_answer"))
    assert (done.payment["status"], done.operation["state"]) == ("pending", "unknown")
    assert told(done.payment["id"])[-1] == "authorisation.outcome_unknown"
    assert len(acquirers["A"].did(done="authorised", reference=done.payment["merchant_reference"])) == 1
    with pytest.raises(AttemptUnderWay):
        authorise(
            merchant_id=tenant.merchant_id,
            live=False,
            payment_id=done.payment["id"],
            means=Means("card", card=factories.GOOD_CARD),
            actor="test",
        )


@pytest.mark.parametrize("name", ["garbled", "unknown_word", "broken"])
def test_an_answer_nobody_understands_is_unknown(tenant, name):
    done = factories.authorised(tenant, card=factories.card(name))
    assert (done.payment["status"], done.operation["state"]) == ("pending", "unknown")


def test_what_was_provably_not_sent_goes_to_the_next_contract(tenant, acquirers):
    closed = factories.add_contract_to(tenant, "http://127.0.0.1:9", priority=1)
    done = factories.authorised(tenant)
    assert done.payment["status"] == "authorised"
    with reading(ALL) as connection:
        rows = connection.execute(
            select(AUTHORISATIONS.c.contract_id, OPERATIONS.c.state)
            .join(OPERATIONS, OPERATIONS.c.authorisation_id == AUTHORISATIONS.c.id)
            .where(AUTHORISATIONS.c.payment_id == done.payment["id"])
            .order_by(AUTHORISATIONS.c.attempt)
        ).all()
    assert [tuple(row) for row in rows] == [(closed, "failed"), (tenant.contract_id, "succeeded")]
    assert told(done.payment["id"]) == [
        "payment.created",
        "authorisation.submitted",
        "authorisation.passed_on",  # staff see it; the merchant hears of the payment's fate only
        "authorisation.submitted",
        "authorisation.succeeded",
    ]


def test_nobody_is_told_failed_while_another_contract_is_being_asked(tenant, acquirers):
    factories.add_contract_to(tenant, "http://127.0.0.1:9", priority=1)
    done = factories.authorised(tenant, card=factories.card("challenge"))
    assert done.payment["status"] == "requires_action"
    with reading(ALL) as connection:
        query = text("SELECT name FROM events WHERE payment_id = :id AND audience = 'public' ORDER BY id")
        public = connection.execute(query, {"id": done.payment["id"]}).scalars().all()
    assert public == ["payment.created", "authorisation.action_required"]


def test_when_no_contract_can_be_reached_the_payment_has_failed_once(tenant):
    with atomic(ALL) as connection:
        connection.execute(update(CONTRACTS).where(CONTRACTS.c.id == tenant.contract_id).values(active=False))
    for priority in (1, 2):
        factories.add_contract_to(tenant, "http://127.0.0.1:9", priority=priority)
    done = factories.authorised(tenant)
    assert (done.payment["status"], done.operation["code"]) == ("failed", "not_sent")
    assert told(done.payment["id"])[-2:] == ["authorisation.submitted", "authorisation.failed"]
    assert told(done.payment["id"]).count("authorisation.failed") == 1


def test_a_challenge_asks_the_payer_and_goes_on_after_it(tenant, acquirers):
    done = factories.authorised(tenant, card=factories.card("challenge"))
    assert done.payment["status"] == "requires_action"
    assert done.operation["action"]["url"].startswith(acquirers["A"].url)
    back = factories.pass_challenge(done)
    again = resume(
        merchant_id=tenant.merchant_id, live=False, operation_id=done.operation["id"], parameters=back, actor="payer"
    )
    assert again.payment["status"] == "authorised"
    assert told(done.payment["id"])[-2:] == ["authorisation.action_required", "authorisation.succeeded"]


def test_coming_back_twice_asks_once(tenant, acquirers):
    done = factories.authorised(tenant, card=factories.card("challenge"))
    back = factories.pass_challenge(done)
    for _ in range(2):
        again = resume(
            merchant_id=tenant.merchant_id,
            live=False,
            operation_id=done.operation["id"],
            parameters=back,
            actor="payer",
        )
    assert again.payment["authorised"] == 10_000
    assert told(done.payment["id"]).count("authorisation.succeeded") == 1


def test_a_payer_who_gives_up_on_the_challenge_can_take_another_card(tenant):
    first = factories.authorised(tenant, card=factories.card("challenge"))
    second = authorise(
        merchant_id=tenant.merchant_id,
        live=False,
        payment_id=first.payment["id"],
        means=Means("card", card=factories.GOOD_CARD),
        actor="payer",
    )
    assert second.payment["status"] == "authorised"
    late = resume(
        merchant_id=tenant.merchant_id, live=False, operation_id=first.operation["id"], parameters={}, actor="payer"
    )
    assert late.payment["authorised"] == 10_000


def test_an_automatic_payment_is_captured_at_once(tenant):
    done = factories.authorised(tenant, 5_000, capture_mode="automatic")
    assert done.payment["status"] == "captured"
    assert booked(done.payment["id"]) == {"provider_balance": 5_000, "payer_clearing": -5_000}


def test_a_stored_card_can_be_charged_again_without_its_number(tenant):
    first = authorise(
        merchant_id=tenant.merchant_id,
        live=False,
        order=factories.an_order(),
        means=Means("card", card=factories.GOOD_CARD, store=True),
        actor="test",
    )
    with reading(ALL) as connection:
        instrument = connection.execute(
            select(AUTHORISATIONS.c.instrument_id).where(AUTHORISATIONS.c.payment_id == first.payment["id"])
        ).scalar_one()
    again = authorise(
        merchant_id=tenant.merchant_id,
        live=False,
        order=factories.an_order(700),
        means=Means("card", instrument_id=instrument, initiator="merchant", series="unscheduled"),
        actor="test",
    )
    assert again.payment["status"] == "authorised"
    assert "instrument.added" in _names(tenant)


def test_a_blocked_payer_is_declined_without_a_call(tenant, acquirers):
    with atomic(ALL) as connection:
        connection.execute(
            BlockEntry.__table__.insert().values(
                id=uuid7(),
                merchant_id=tenant.merchant_id,
                live=False,
                kind="email",
                fingerprint=fingerprint("email", "bad@example.com"),
                hint="b…@example.com",
                reason="fraud",
                created_at=text("now()"),
            )
        )
    done = factories.authorised(tenant, payer=Payer(email="Bad@example.com"))
    assert (done.payment["status"], done.operation["code"]) == ("failed", "refused_by_risk_check")
    assert acquirers["A"].did(reference=done.payment["merchant_reference"]) == []


def test_a_blocked_card_is_declined_also_when_it_is_stored(tenant, acquirers):
    means = Means("card", card=factories.GOOD_CARD, store=True)
    kept = authorise(
        merchant_id=tenant.merchant_id, live=False, order=factories.an_order(), means=means, actor="test"
    ).payment["instrument_id"]
    with atomic(ALL) as connection:
        connection.execute(
            BlockEntry.__table__.insert().values(
                id=uuid7(),
                merchant_id=tenant.merchant_id,
                live=False,
                kind="card",
                fingerprint=card_fingerprint(factories.GOOD_CARD),
                hint="…4242",
                reason="fraud",
                created_at=text("now()"),
            )
        )
    order = factories.an_order(700)
    again = authorise(
        merchant_id=tenant.merchant_id,
        live=False,
        order=order,
        means=Means("card", instrument_id=kept, initiator="merchant", series="unscheduled"),
        actor="test",
    )
    assert (again.payment["status"], again.operation["code"]) == ("failed", "refused_by_risk_check")
    assert acquirers["A"].did(reference=order.merchant_reference) == []


def test_a_payment_above_the_review_ceiling_is_held(tenant, act):
    with atomic(ALL) as connection:
        connection.execute(
            AmountCeiling.__table__.insert().values(
                merchant_id=tenant.merchant_id, live=False, currency="EUR", review_above=50_000, deny_above=90_000
            )
        )
    held = factories.authorised(tenant, 60_000, capture_mode="automatic")
    assert held.payment["status"] == "authorised"
    denied = factories.authorised(tenant, 90_001)
    assert denied.payment["status"] == "failed"


def test_without_a_contract_there_is_no_payment(tenant):
    with pytest.raises(NoRoute):
        factories.authorised(tenant, currency="CHF")


@pytest.mark.parametrize("amount", [0, -1, 10**11])
def test_an_impossible_amount_is_refused(tenant, amount):
    with pytest.raises(AmountOutOfRange):
        factories.authorised(tenant, amount)


def test_a_scheduled_payment_needs_its_date(tenant):
    with pytest.raises(CaptureDateNeeded):
        factories.authorised(tenant, capture_mode="scheduled")


def test_another_merchants_payment_does_not_exist(tenant, acquirers):
    theirs = factories.authorised(factories.tenant(acquirers["A"]))
    with pytest.raises(NotFound):
        authorise(
            merchant_id=tenant.merchant_id,
            live=False,
            payment_id=theirs.payment["id"],
            means=Means("card", card=factories.GOOD_CARD),
            actor="test",
        )


def _names(tenant) -> list[str]:
    with reading(ALL) as connection:
        return list(
            connection.execute(
                text("SELECT name FROM events WHERE merchant_id = :id"), {"id": tenant.merchant_id}
            ).scalars()
        )
