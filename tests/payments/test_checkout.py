"""The hosted checkout's operations: one payment, however often the payer presses the button."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.errors import NotFound, Refusal
from app.payments import checkout
from app.payments.attempt import Means
from app.payments.capture import capture
from app.receivables.collect import NothingDue, take
from app.receivables.models import Collector, Receivable
from tests import factories
from tests.books import told

CARD = Means("card", card=factories.GOOD_CARD)


@pytest.fixture
def opened(tenant):
    return checkout.open_checkout(factories.an_order(4_990), merchant_id=tenant.merchant_id, live=False, actor="test")


def test_a_checkout_is_found_by_its_link_and_by_no_other(opened):
    token = checkout.token(opened.checkout["id"])
    assert checkout.find(token).payment["amount"] == 4_990
    for wrong in (token[:-1] + "x", token.replace("chk_", "chk_0"), "", "chk_.", token.partition(".")[0]):
        with pytest.raises(NotFound):
            checkout.find(wrong)


def test_paying_completes_it_and_settles_the_debt_on_capture(act, opened):
    done = checkout.pay(opened, CARD)
    assert done.payment["status"] == "authorised"
    assert checkout.read(opened.checkout["id"]).checkout["state"] == "completed"
    assert told(opened.payment["id"])[-1] == "checkout.completed" or "checkout.completed" in told(opened.payment["id"])
    assert _receivable(opened).due == 4_990
    capture(**act, payment_id=opened.payment["id"])
    assert _receivable(opened).due == 0
    with pytest.raises(NothingDue), atomic(ALL) as connection:
        take(connection, opened.payment["receivable_id"], opened.payment["id"], 4_990)


def test_after_a_decline_the_payer_may_try_again(opened):
    refused = checkout.pay(opened, Means("card", card=factories.card("insufficient_funds")))
    assert refused.payment["status"] == "failed"
    assert _collectors(opened) == ["released"]
    assert checkout.pay(opened, CARD).payment["status"] == "authorised"


def test_the_debt_stays_taken_while_another_contract_is_being_asked(tenant, opened):
    factories.add_contract_to(tenant, "http://127.0.0.1:9", priority=1)
    asked = checkout.pay(opened, Means("card", card=factories.card("challenge")))
    assert asked.payment["status"] == "requires_action"
    assert _collectors(opened) == ["open"]


def test_two_tabs_and_a_double_click_charge_once(app, opened, acquirers):
    def press(_: int) -> str:
        with app.app_context():
            try:
                return checkout.pay(opened, CARD).payment["status"]
            except Refusal as refusal:
                return refusal.code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(press, range(8)))
    assert answers.count("authorised") == 1, answers
    assert set(answers) <= {"authorised", "attempt_under_way", "already_paid", "checkout_closed"}
    assert len(acquirers["A"].did(done="authorised", reference=opened.payment["merchant_reference"])) == 1


def test_an_expired_checkout_takes_no_money(opened):
    with atomic(ALL) as connection:
        connection.execute(
            update(checkout.CHECKOUTS)
            .where(checkout.CHECKOUTS.c.id == opened.checkout["id"])
            .values(expires_at=now() - timedelta(seconds=1))
        )
    with pytest.raises(checkout.CheckoutClosed):
        checkout.pay(checkout.read(opened.checkout["id"]), CARD)
    assert checkout.read(opened.checkout["id"]).checkout["state"] == "expired"


def test_with_several_shops_the_shop_must_be_named(tenant):
    factories.add_shop_to(tenant)
    order = factories.an_order()
    with pytest.raises(checkout.ShopNeeded):
        checkout.open_checkout(order, merchant_id=tenant.merchant_id, live=False, actor="test")


def _receivable(opened):
    with reading(ALL) as connection:
        return connection.execute(
            select(Receivable.due, Receivable.credit).where(Receivable.id == opened.payment["receivable_id"])
        ).one()


def _collectors(opened) -> list[str]:
    with reading(ALL) as connection:
        return list(
            connection.execute(
                select(Collector.state).where(Collector.receivable_id == opened.payment["receivable_id"])
            ).scalars()
        )
