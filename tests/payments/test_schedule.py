"""A capture by date is promised only as late as a reservation lives."""

from datetime import timedelta

import pytest

from app.core.clock import business_today
from app.core.db import atomic, of
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.checkout import methods, open_checkout
from app.payments.schedule import CaptureDateTooLate
from app.payments.start import start
from tests import factories
from tests.books import booked, told
from tests.connectors.peers import paypal as peer
from tests.payments import wallets

CARD = Means("card", card=factories.GOOD_CARD)


def _order(days):
    return factories.an_order(capture_mode="scheduled", capture_on=_day(days))


def _day(days):
    return business_today(0, "Europe/Berlin") + timedelta(days=days)


def test_the_last_day_is_one_that_the_reservation_lives_through(act, tenant):
    done = authorise(**act, order=_order(6), means=CARD)  # the acquirer reserves for seven days
    assert (done.payment["status"], done.payment["capture_on"]) == ("authorised", _day(6))
    assert told(done.payment["id"])[-1] == "authorisation.succeeded" and booked(done.payment["id"]) == {}
    with pytest.raises(CaptureDateTooLate) as refusal:
        authorise(**act, order=_order(7), means=CARD)
    assert refusal.value.values == {"latest": _day(6).isoformat()}


def test_whoever_reserves_for_longer_gets_it(act, tenant):
    with peer.peer() as wallet:
        wallets.add_wallet(tenant, wallet)  # 29 days
        with atomic(of(tenant.merchant_id, False)) as connection:
            payment = start(connection, _order(20), **act)
        with pytest.raises(CaptureDateTooLate):
            authorise(**act, payment_id=payment["id"], means=CARD)
        asked = authorise(**act, payment_id=payment["id"], means=Means("paypal"))
        assert asked.payment["status"] == "requires_action"
        opened = open_checkout(_order(20), **act)
        assert methods(opened) == {"paypal"}
        assert methods(open_checkout(_order(3), **act)) == {"card", "paypal"}
        with pytest.raises(CaptureDateTooLate):
            authorise(**act, order=_order(29), means=Means("paypal"))
    assert told(payment["id"])[-1] == "authorisation.action_required" and booked(payment["id"]) == {}
