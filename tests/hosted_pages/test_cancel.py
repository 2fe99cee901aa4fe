"""Leaving without paying."""

import pytest

from app.payments.abandon import abandon
from app.payments.attempt import Means
from app.payments.authorise import AlreadyPaid, AttemptUnderWay
from app.payments.checkout import CheckoutClosed, pay
from sandbox.acquirers.cards import CARD_BY_NAME
from tests import factories
from tests.books import told
from tests.hosted_pages.conftest import link
from tests.hosted_pages.payer import CARD, card


def test_it_is_asked_once_and_then_closed(app, payer, new_checkout, again):
    opened = new_checkout(return_url="https://shop.example/basket")
    asked = payer.open(link(opened, "/cancel"))
    assert asked.heading == "Zahlung wirklich abbrechen?"
    assert again(opened).checkout["state"] == "open"
    shown = payer.press(asked)
    assert shown.heading == "Die Zahlung wurde abgebrochen"
    assert shown.document.one("a", class_="button").attributes["href"].endswith("&status=cancelled")
    now_ = again(opened)
    assert (now_.checkout["state"], now_.payment["status"]) == ("cancelled", "cancelled")
    with app.app_context():
        assert told(opened.payment["id"])[-1] == "checkout.cancelled"
    for step in ("", "/wait", "/cancel"):
        assert payer.open(link(opened, step)).heading == "Die Zahlung wurde abgebrochen"


def test_a_cancelled_checkout_takes_no_money(payer, new_checkout, acquirers):
    opened = new_checkout()
    form = payer.open(link(opened))
    payer.press(payer.open(link(opened, "/cancel")))
    assert payer.fill_in(form, CARD).heading == "Die Zahlung wurde abgebrochen"
    assert not acquirers["A"].did(done="authorised", reference=opened.payment["merchant_reference"])


def test_a_form_of_another_page_does_not_cancel(payer, new_checkout, again):
    opened = new_checkout()
    seal = payer.open(link(opened)).hidden()["seal"]
    assert payer.send(link(opened, "/cancel"), {"seal": seal}).status == 422
    assert payer.send(link(opened, "/cancel"), {}).status == 422
    assert again(opened).checkout["state"] == "open"


def test_a_confirmation_that_waits_is_closed_with_it_and_a_late_yes_is_given_back(
    payer, new_checkout, again, acquirers
):
    opened = new_checkout()
    shown = payer.fill_in(payer.open(link(opened)), card(CARD_BY_NAME["challenge"].number))
    bank = shown.document.one("a", class_="button").attributes["href"]
    payer.press(payer.open(link(opened, "/cancel")))
    from tests.hosted_pages.test_confirming import answer_at

    assert payer.open(answer_at(bank, "approve")).heading == "Die Zahlung wurde abgebrochen"
    assert again(opened).payment["captured"] == 0


@pytest.mark.parametrize(
    ("name", "refusal"), [("visa", AlreadyPaid), ("pending", AttemptUnderWay), ("no_answer", AttemptUnderWay)]
)
def test_what_is_paid_or_being_asked_about_is_not_cancelled(app, new_checkout, again, name, refusal):
    opened = new_checkout()
    with app.app_context():
        pay(opened, Means("card", card=factories.card(name)))
        before = again(opened).checkout["state"]
        with pytest.raises(refusal):
            abandon(opened)
    assert again(opened).checkout["state"] == before


def test_it_is_closed_only_once(app, new_checkout):
    opened = new_checkout()
    with app.app_context():
        abandon(opened)
        with pytest.raises((CheckoutClosed, AlreadyPaid)):
            abandon(opened)
