"""Starting a batch: what was shown is written down, once per form."""

import pytest
from sqlalchemy import text

from app.batches import start as starting
from app.batches.start import Line, NothingToDo, TooMany
from app.core.db import ALL, atomic, reading
from app.payments.history import overview
from app.payments.offers import offers
from app.payments.possible import possible
from tests import factories
from tests.batches.conftest import rows_of, states_of


def test_a_form_sent_twice_starts_one(tenant, begin):
    made = [factories.authorised(tenant)]
    assert begin("capture", made, nonce="the-same") == begin("capture", made, nonce="the-same")
    with reading(ALL) as connection:
        assert connection.execute(text("SELECT count(*) FROM batches WHERE nonce = 'the-same'")).scalar_one() == 1


def test_what_cannot_be_done_is_written_down_with_its_reason(tenant, begin):
    batch_id = begin("capture", [factories.authorised(tenant), factories.captured(tenant)])
    assert states_of(batch_id) == ["waiting", "refused"]
    assert rows_of(batch_id)[1]["why"] == {
        "code": "nothing_to_capture",
        "message": "Nothing is left to capture.",
        "values": {},
    }


def test_nothing_that_can_be_done_is_refused(tenant, begin):
    with pytest.raises(NothingToDo):
        begin("cancel", [factories.captured(tenant)])


def test_more_than_the_most_are_refused(tenant, operator):
    payment = factories.authorised(tenant).payment
    lines = [Line(payment, 1)] * (starting.MOST + 1)
    more = {"live": False, "reason": "", "user_id": operator, "actor": "staff:x", "nonce": "n"}
    with pytest.raises(TooMany), atomic(ALL) as connection:
        starting.start(connection, "capture", lines, **more)


def test_offers_say_of_many_what_possible_says_of_one(tenant):
    to = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    made = [
        factories.authorised(tenant, 5_000),
        factories.captured(tenant, 6_000),
        factories.authorised(tenant, card=factories.card("insufficient_funds")),
        factories.authorised(tenant, card=factories.card("challenge")),
        factories.held_for_review(tenant, 60_000),
    ]
    from app.payments.capture import capture

    partly = factories.authorised(tenant, 8_000)
    capture(**to, payment_id=partly.payment["id"], amount=1_000)
    ids = [done.payment["id"] for done in [*made, partly]]
    with reading(ALL) as connection:
        for verb in ("capture", "cancel"):
            many = offers(connection, verb, ids)
            for payment_id in ids:
                one = getattr(possible(connection, overview(connection, payment_id)), verb)
                assert many[payment_id].amount == one.amount
                assert type(many[payment_id].refused) is type(one.refused)
