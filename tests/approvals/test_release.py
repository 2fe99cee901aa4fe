"""Releasing what captures itself is capturing it: same right, same limits, same second pair of eyes."""

import pytest

from app.approvals import decide
from app.approvals.ask import permit
from app.approvals.rules import add_rule
from app.core.clock import now
from app.core.db import ALL, atomic
from app.payments.capture_due import due
from app.payments.review import NotHeld, release
from tests import factories
from tests.approvals.conftest import asker
from tests.approvals.test_money import _request, _whom
from tests.books import booked, told


@pytest.fixture
def held(tenant):
    """An automatic payment of 200 EUR that a risk check holds."""
    factories.held_for_review(tenant, 100_00)
    return factories.authorised(tenant, 200_00, capture_mode="automatic")


def released(tenant, done, staff):
    return release(**_whom(tenant, done, staff), permit=permit(asker(staff)))


def test_above_the_limit_it_stays_held_until_somebody_else_says_yes(tenant, desk, held):
    asked = released(tenant, held, desk.maker)
    assert asked is not None and asked.operation["state"] == "pending_approval"
    assert factories.authorisation_of(held)["held_for_review"]
    assert "payment.released" not in told(held.payment["id"])
    assert booked(held.payment["id"]) == {}
    assert decide.approve(_request(held)["id"], desk.checker, scope=ALL)["state"] == "executed"
    assert not factories.authorisation_of(held)["held_for_review"]
    assert factories.fresh(held)["captured"] == 200_00
    assert told(held.payment["id"])[-5:] == [
        *("approval.approved", "capture.submitted", "payment.released", "capture.succeeded", "approval.executed")
    ]


def test_after_a_no_it_is_held_as_before_and_no_job_captures_it(tenant, desk, held):
    released(tenant, held, desk.maker)
    decide.reject(_request(held)["id"], desk.checker, scope=ALL, note="no")
    assert factories.authorisation_of(held)["held_for_review"]
    assert factories.fresh(held)["capture_pending"] == 0
    assert held.payment["id"] not in [one for one, *_ in due(1_000)]
    assert released(tenant, held, desk.checker).payment["captured"] == 200_00


def test_a_rule_for_captures_holds_for_it(tenant, someone, held):
    maker, _checker = someone("operator"), someone("supervisor")
    with atomic(ALL) as connection:
        add_rule(connection, actor="test", merchant_id=tenant.merchant_id, action="capture")
    assert released(tenant, held, maker).operation["state"] == "pending_approval"


def test_a_day_on_which_it_is_due_makes_a_scheduled_one_the_same(tenant, desk):
    factories.held_for_review(tenant, 100_00)
    today, done = now().date(), None
    done = factories.authorised(tenant, 200_00, capture_mode="scheduled", capture_on=today)
    assert released(tenant, done, desk.maker).operation["state"] == "pending_approval"


def test_within_the_limits_it_is_captured_at_once(tenant, desk):
    factories.held_for_review(tenant, 40_00)
    done = factories.authorised(tenant, 50_00, capture_mode="automatic")
    assert released(tenant, done, desk.maker).payment["status"] == "captured"
    with pytest.raises(NotHeld):
        released(tenant, done, desk.maker)
