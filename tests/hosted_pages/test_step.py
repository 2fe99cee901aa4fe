"""A risk check asks the payer something first: a page of its own, then the payment goes on."""

import pytest
from sqlalchemy import delete, insert, text

from app.core.db import ALL, atomic, reading
from app.core.vault import CannotOpen, unseal_json
from app.payments.attempt import Means
from app.payments.authorise import StepNeeded, authorise
from app.risk.models import AmountCeiling
from app.risk.take import taken
from tests import factories
from tests.books import booked, told
from tests.hosted_pages.conftest import link
from tests.hosted_pages.payer import CARD, card
from tests.risk.test_details import ERIKA

ASKED_ABOVE = 30_000


@pytest.fixture(autouse=True)
def ceiling(app, tenant):
    """Payers of more than 300 EUR are asked who they are; more than 900 EUR is refused."""
    values = {"merchant_id": tenant.merchant_id, "live": False, "currency": "EUR"}
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(delete(AmountCeiling).where(AmountCeiling.merchant_id == tenant.merchant_id))
        connection.execute(insert(AmountCeiling).values(**values, details_above=ASKED_ABOVE, deny_above=90_000))


def test_the_payer_says_who_they_are_and_pays(app, payer, new_checkout, again, acquirers):
    opened = new_checkout(45_000)
    asked = payer.open(link(opened))
    assert asked.path.endswith("/step/details")
    assert asked.heading == "Ein paar Angaben zu Ihnen"
    assert asked.document.one("input", name="name").attributes["value"] == "Erika Muster"
    shown = payer.fill_in(asked, ERIKA)
    assert shown.heading == "Bezahlen"
    paid = payer.fill_in(shown, CARD)
    assert again(opened).payment["status"] == "authorised", paid.text
    assert len(acquirers["A"].did(done="authorised", reference=opened.payment["merchant_reference"])) == 1
    with app.app_context():
        assert told(opened.payment["id"])[:4] == [
            *("payment.created", "checkout.created", "payment.step_taken", "authorisation.submitted"),
        ]
        assert booked(opened.payment["id"]) == {}
        with reading(ALL) as connection:
            assert taken(connection, opened.payment["id"], "details") == {**ERIKA, "born": "1964-08-12"}
            assert _decisions(connection, opened) == [("allow", None)]


def test_what_was_said_is_sealed(app, payer, new_checkout):
    opened = new_checkout(45_000)
    payer.fill_in(payer.open(link(opened)), ERIKA)
    with app.app_context(), reading(ALL) as connection:
        sealed = connection.execute(
            text("SELECT sealed FROM taken_steps WHERE payment_id = :id"), {"id": opened.payment["id"]}
        ).scalar_one()
        events = connection.execute(
            text("SELECT data::text FROM events WHERE payment_id = :id"), {"id": opened.payment["id"]}
        ).scalars()
        assert not any("Heide" in data for data in events)
    assert b"Heide" not in sealed
    with app.app_context(), pytest.raises(CannotOpen):
        unseal_json(sealed, "another.column")


def test_a_smaller_payment_is_not_asked(payer, new_checkout):
    opened = new_checkout(ASKED_ABOVE)
    assert payer.open(link(opened)).heading == "Bezahlen"
    assert payer.open(link(opened, "/step/details")).heading == "Bezahlen"


def test_what_is_refused_anyway_is_not_asked_first(payer, new_checkout):
    assert payer.open(link(new_checkout(90_001))).heading == "Bezahlen"


def test_wrong_details_are_shown_at_their_field_and_nothing_is_kept(app, payer, new_checkout):
    opened = new_checkout(45_000)
    shown = payer.fill_in(payer.open(link(opened)), {**ERIKA, "born": "1.1.2020"})
    assert shown.status == 422
    assert shown.error("born") == "Sie müssen mindestens 18 Jahre alt sein."
    assert shown.document.one("input", name="street").attributes["value"] == ERIKA["street"]
    with app.app_context(), reading(ALL) as connection:
        assert taken(connection, opened.payment["id"], "details") is None


@pytest.mark.parametrize("seal", ["", "0.9999999999.x", "nonsense"])
def test_a_form_that_is_not_ours_keeps_nothing(app, payer, new_checkout, seal):
    opened = new_checkout(45_000)
    assert payer.send(link(opened, "/step/details"), {**ERIKA, "seal": seal}).status == 422
    with app.app_context(), reading(ALL) as connection:
        assert taken(connection, opened.payment["id"], "details") is None


def test_a_payment_form_sent_past_the_step_leads_to_it_and_charges_nothing(
    app, payer, new_checkout, again, acquirers, tenant
):
    """The ceiling came while the payer had the form open."""
    opened = new_checkout(45_000)
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(delete(AmountCeiling).where(AmountCeiling.merchant_id == tenant.merchant_id))
    form = payer.open(link(opened))
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(
            insert(AmountCeiling).values(merchant_id=tenant.merchant_id, live=False, currency="EUR", details_above=1)
        )
    assert payer.fill_in(form, CARD).heading == "Ein paar Angaben zu Ihnen"
    assert again(opened).payment["status"] == "created"
    assert acquirers["A"].did(reference=opened.payment["merchant_reference"]) == []
    with app.app_context(), reading(ALL) as connection:
        assert _decisions(connection, opened) == [("ask", "details")]
    after = payer.fill_in(payer.open(link(opened)), ERIKA)
    payer.fill_in(after, card(CARD["number"]))
    assert again(opened).payment["status"] == "authorised"


def test_by_api_the_merchant_is_told_where_to_send_the_payer(app, tenant, acquirers):
    order = factories.an_order(45_000)
    means = Means("card", card=factories.GOOD_CARD)
    with app.app_context():
        with pytest.raises(StepNeeded) as refused:
            authorise(merchant_id=tenant.merchant_id, live=False, order=order, means=means, actor="test")
        assert (refused.value.code, refused.value.status) == ("step_needed", 409)
        with reading(ALL) as connection:
            query = text("SELECT count(*) FROM payments WHERE merchant_reference = :reference")
            assert connection.execute(query, {"reference": order.merchant_reference}).scalar_one() == 0
    assert acquirers["A"].did(reference=order.merchant_reference) == []


def test_an_unknown_step_does_not_exist(payer, new_checkout):
    assert payer.open(link(new_checkout(45_000), "/step/shoe_size")).status == 404


def test_a_closed_checkout_takes_no_details(app, payer, new_checkout):
    opened = new_checkout(45_000)
    form = payer.open(link(opened))
    payer.press(payer.open(link(opened, "/cancel")))
    assert payer.fill_in(form, ERIKA).heading == "Die Zahlung wurde abgebrochen"
    with app.app_context(), reading(ALL) as connection:
        assert taken(connection, opened.payment["id"], "details") is None


def _decisions(connection, opened):
    query = text("SELECT decision, step FROM risk_decisions WHERE payment_id = :id ORDER BY id")
    return [tuple(row) for row in connection.execute(query, {"id": opened.payment["id"]})]
