"""Captures, refunds and cancellations that need a second pair of eyes."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, text

from app.approvals import decide
from app.approvals.ask import REQUESTS, AlreadyAsked, NobodyCanApprove, OverLimit, permit
from app.approvals.kinds import Asker
from app.approvals.rules import add_rule, remove_rule
from app.approvals.sweep import sweep
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.ids import uuid7
from app.core.limits import Allowance, Limit
from app.payments.cancel import cancel
from app.payments.capture import capture
from app.payments.queries import AUTHORISATIONS
from app.payments.refund import refund
from tests import factories
from tests.approvals.conftest import asker
from tests.books import booked, broken_proofs, told

REFUSED = 66_01  # what acquirer A refuses to refund


def refunded(tenant, done, amount, staff, **more):
    return refund(**_whom(tenant, done, staff), amount=amount, permit=permit(asker(staff), reason="broken"), **more)


def test_a_refund_over_the_limit_waits_reserved_and_is_sent_after_a_yes(tenant, desk, acquirers):
    done = factories.captured(tenant, 200_00)
    before = booked(done.payment["id"])
    asked = refunded(tenant, done, 120_00, desk.maker)
    assert asked.operation["state"] == "pending_approval"
    payment = factories.fresh(done)
    assert (payment["refund_pending"], payment["refunded"]) == (120_00, 0)
    assert acquirers["A"].did(done="refunded", reference=payment["merchant_reference"]) == []
    request = _request(done)
    assert (request["state"], request["amount"], request["why"]["limit"]) == ("pending", 120_00, 100_00)
    assert booked(done.payment["id"]) == before
    after = decide.approve(request["id"], desk.checker, scope=ALL, note="seen the parcel")
    assert after["state"] == "executed"
    payment = factories.fresh(done)
    assert (payment["refund_pending"], payment["refunded"], payment["status"]) == (0, 120_00, "partially_refunded")
    assert len(acquirers["A"].did(done="refunded", reference=payment["merchant_reference"])) == 1
    assert told(done.payment["id"])[-6:] == [
        *("refund.approval_requested", "approval.requested", "approval.approved"),
        *("refund.submitted", "refund.succeeded", "approval.executed"),
    ]
    assert booked(done.payment["id"]) != before
    assert broken_proofs() == {}


def test_a_refund_within_the_limit_goes_at_once(tenant, desk):
    done = factories.captured(tenant, 200_00)
    assert refunded(tenant, done, 100_00, desk.maker).operation["state"] == "succeeded"
    assert _requests(done) == []


def test_what_adds_up_to_more_than_the_daily_total_waits(tenant, desk):
    one, other = factories.captured(tenant, 100_00), factories.captured(tenant, 100_00)
    assert refunded(tenant, one, 90_00, desk.maker).operation["state"] == "succeeded"
    assert refunded(tenant, other, 90_00, desk.maker).operation["state"] == "pending_approval"
    assert _request(other)["why"] == {"limit": 150_00, "kind": "daily", "currency": "EUR"}
    assert refunded(tenant, one, 10_00, desk.maker).operation["state"] == "pending_approval", "a waiting one counts too"
    with time_machine.travel(now() + timedelta(days=1, hours=1)):
        assert refunded(tenant, factories.captured(tenant), 90_00, desk.maker).operation["state"] == "succeeded"


def test_a_refund_that_came_to_nothing_does_not_count_towards_the_day(tenant, desk):
    one, other = factories.captured(tenant, 100_00), factories.captured(tenant, 100_00)
    assert refunded(tenant, one, REFUSED, desk.maker).operation["state"] == "declined"
    assert refunded(tenant, other, 90_00, desk.maker).operation["state"] == "succeeded"


def test_a_rejected_request_frees_what_was_reserved_and_sends_nothing(tenant, desk, acquirers):
    done = factories.captured(tenant, 200_00)
    refunded(tenant, done, 120_00, desk.maker)
    decide.reject(_request(done)["id"], desk.checker, scope=ALL, note="no parcel came back")
    payment, request = factories.fresh(done), _request(done)
    assert (payment["refund_pending"], payment["refunded"], payment["status"]) == (0, 0, "captured")
    assert (request["state"], request["note"]) == ("rejected", "no parcel came back")
    assert acquirers["A"].did(done="refunded", reference=payment["merchant_reference"]) == []
    assert told(done.payment["id"])[-2:] == ["refund.withdrawn", "approval.rejected"]
    assert _operation_codes(done)[-1] == "approval_rejected"
    assert refunded(tenant, done, 90_00, desk.maker).operation["state"] == "succeeded", "the day's total is free again"


def test_the_maker_never_approves(tenant, someone):
    strict = {"payment.refund": {"EUR": Limit(100_00)}}
    boss, _other = someone("admin", limits=strict), someone("supervisor")
    done = factories.captured(tenant, 200_00)
    refunded(tenant, done, 120_00, boss)
    for attempt in (decide.approve, decide.reject):
        with pytest.raises(decide.MakerIsChecker):
            attempt(_request(done)["id"], boss, scope=ALL, note="mine")
    assert _request(done)["state"] == "pending"


def test_who_lacks_right_or_limit_does_not_decide(tenant, desk, someone):
    done = factories.captured(tenant, 200_00)
    refunded(tenant, done, 120_00, desk.maker)
    tight = someone("supervisor", limits={"payment.refund": {"EUR": Limit(110_00)}})
    elsewhere = someone("supervisor", merchants=frozenset({uuid7()}))
    for checker in (someone("operator"), someone("support"), tight, elsewhere):
        with pytest.raises(decide.CannotDecide):
            decide.approve(_request(done)["id"], checker, scope=ALL)


def test_without_anybody_who_could_approve_the_maker_is_told_first(tenant, someone):
    with atomic(ALL) as connection:
        connection.execute(text("UPDATE staff_users SET active = false"))
    alone = someone("operator", limits={"payment.refund": {"EUR": Limit(100_00)}})
    done = factories.captured(tenant, 200_00)
    with pytest.raises(NobodyCanApprove):
        refunded(tenant, done, 120_00, alone)
    assert factories.fresh(done)["refund_pending"] == 0


def test_a_request_is_stale_once_the_payment_has_changed(tenant, desk):
    done = factories.captured(tenant, 200_00)
    refunded(tenant, done, 120_00, desk.maker)
    refund(**_whom(tenant, done, desk.checker), amount=5_00)
    with pytest.raises(decide.NoLongerTrue):
        decide.approve(_request(done)["id"], desk.checker, scope=ALL)
    payment = factories.fresh(done)
    assert (_request(done)["state"], payment["refund_pending"], payment["refunded"]) == ("stale", 0, 5_00)


def test_the_job_closes_what_is_stale_or_over(tenant, desk):
    changed, waiting = factories.captured(tenant, 200_00), factories.captured(tenant, 200_00)
    refunded(tenant, changed, 120_00, desk.maker)
    refunded(tenant, waiting, 120_00, desk.maker)
    refund(**_whom(tenant, changed, desk.checker), amount=5_00)
    assert sweep(100) >= 1
    assert (_request(changed)["state"], _request(waiting)["state"]) == ("stale", "pending")
    with time_machine.travel(now() + timedelta(hours=73)):
        sweep(100)
    assert _request(waiting)["state"] == "expired"
    assert factories.fresh(waiting)["refund_pending"] == 0


def test_a_request_to_capture_ends_before_its_authorisation(tenant, desk):
    done = factories.authorised(tenant, 200_00)
    _capture(tenant, done, desk.maker)
    with reading(ALL) as connection:
        query = select(AUTHORISATIONS.c.expires_at).where(AUTHORISATIONS.c.payment_id == done.payment["id"])
        ends = connection.execute(query).scalar_one()
    assert _request(done)["expires_at"] < ends


def test_one_request_per_payment_and_action(tenant, desk):
    done = factories.captured(tenant, 300_00)
    refunded(tenant, done, 120_00, desk.maker)
    with pytest.raises(AlreadyAsked):
        refunded(tenant, done, 110_00, desk.maker)
    assert factories.fresh(done)["refund_pending"] == 120_00


def test_it_is_decided_once(tenant, desk, someone):
    done = factories.captured(tenant, 200_00)
    refunded(tenant, done, 120_00, desk.maker)
    decide.approve(_request(done)["id"], desk.checker, scope=ALL)
    for attempt in (decide.approve, decide.reject):
        with pytest.raises(decide.AlreadyDecided):
            attempt(_request(done)["id"], someone("supervisor"), scope=ALL, note="")
    assert factories.fresh(done)["refunded"] == 120_00


def test_a_no_of_the_acquirer_after_the_yes_is_a_failure(tenant, desk, someone):
    done = factories.captured(tenant, 200_00)
    refunded(tenant, done, REFUSED, someone("operator", limits={"payment.refund": {"EUR": Limit(50_00)}}))
    assert decide.approve(_request(done)["id"], desk.checker, scope=ALL)["state"] == "failed"
    assert factories.fresh(done)["refund_pending"] == 0


def test_silence_after_the_yes_is_no_failure_and_stays_reserved(tenant, desk, acquirers):
    done = factories.captured(tenant, 200_00)
    refunded(tenant, done, 120_00, desk.maker)
    acquirers["A"].control(next="garbled")
    assert decide.approve(_request(done)["id"], desk.checker, scope=ALL)["state"] == "executed"
    assert factories.fresh(done)["refund_pending"] == 120_00


@pytest.mark.parametrize("kind", ["capture", "cancel"])
def test_a_rule_makes_captures_and_cancellations_wait(tenant, someone, kind):
    maker, checker = someone("operator"), someone("supervisor")
    rule = {"merchant_id": tenant.merchant_id, "action": kind, "currency": "EUR", "above": 50_00}
    with atomic(ALL) as connection:
        rule_id = add_rule(connection, actor="test", **rule)
    small, large = factories.authorised(tenant, 50_00), factories.authorised(tenant, 50_01)
    act = _capture if kind == "capture" else _cancel
    assert act(tenant, small, maker).operation["state"] == "succeeded"
    assert act(tenant, large, maker).operation["state"] == "pending_approval"
    assert decide.approve(_request(large)["id"], checker, scope=ALL)["state"] == "executed"
    assert factories.fresh(large)["status"] == ("captured" if kind == "capture" else "cancelled")
    with atomic(ALL) as connection:
        remove_rule(connection, rule_id, actor="test")
    assert act(tenant, factories.authorised(tenant, 50_01), maker).operation["state"] == "succeeded"


@pytest.mark.parametrize(
    ("rule", "waits"),
    [
        ({}, True),
        ({"method": "card"}, True),
        ({"method": "paypal"}, False),
        ({"role": "operator"}, True),
        ({"role": "support"}, False),
        ({"currency": "CHF", "above": 1}, False),
        ({"currency": "EUR", "above": 100_00}, False),
    ],
)
def test_a_rule_asks_for_all_it_names(tenant, someone, rule, waits):
    maker, _checker = someone("operator"), someone("supervisor")
    with atomic(ALL) as connection:
        add_rule(connection, actor="test", merchant_id=tenant.merchant_id, action="refund", **rule)
    done = refunded(tenant, factories.captured(tenant, 100_00), 100_00, maker)
    assert (done.operation["state"] == "pending_approval") is waits


def test_a_key_over_its_limit_is_refused_and_by_rule_it_waits(tenant, someone):
    someone("supervisor")
    key = Asker("key:key_1", lambda *_: (Allowance(Limit(50_00)),), key_id=tenant.key_id, strict=True)
    done = factories.captured(tenant, 200_00)
    act = {**_whom(tenant, done, None), "actor": key.actor}
    with pytest.raises(OverLimit):
        refund(**act, amount=60_00, permit=permit(key))
    assert factories.fresh(done)["refund_pending"] == 0
    with atomic(ALL) as connection:
        add_rule(connection, actor="test", merchant_id=None, action="refund", api_key_id=tenant.key_id)
    assert refund(**act, amount=40_00, permit=permit(key)).operation["state"] == "pending_approval"


def test_the_maker_takes_it_back_and_others_may_not(tenant, desk):
    done = factories.captured(tenant, 200_00)
    refunded(tenant, done, 120_00, desk.maker)
    with pytest.raises(decide.CannotDecide):
        decide.take_back(_request(done)["id"], desk.checker, scope=ALL)
    decide.take_back(_request(done)["id"], desk.maker, scope=ALL)
    assert (_request(done)["state"], factories.fresh(done)["refund_pending"]) == ("withdrawn", 0)


def test_a_process_that_died_after_the_yes_is_made_good(tenant, desk, acquirers):
    """Approved and submitted, but never sent: the resolver finds that nothing arrived, the sweep settles."""
    done = factories.captured(tenant, 200_00)
    refunded(tenant, done, 120_00, desk.maker)
    with atomic(ALL) as connection:
        request = decide.read(connection, _request(done)["id"], lock=True)
        decide._move(connection, request, "approved", desk.checker.actor, "")
        decide.ACTIONS["refund"].start(connection, request)
    assert sweep(100) == 0
    from app.payments.resolve import resolve

    with time_machine.travel(now() + timedelta(minutes=3)):
        resolve(request["group_id"], merchant_id=tenant.merchant_id, live=False)
        sweep(100)
    assert _request(done)["state"] == "failed"
    assert factories.fresh(done)["refund_pending"] == 0


def _whom(tenant, done, staff):
    return {
        "merchant_id": tenant.merchant_id,
        "live": False,
        "payment_id": done.payment["id"],
        "actor": staff.actor if staff else "test",
    }


def _capture(tenant, done, staff):
    return capture(**_whom(tenant, done, staff), permit=permit(asker(staff)))


def _cancel(tenant, done, staff):
    return cancel(**_whom(tenant, done, staff), permit=permit(asker(staff)))


def _requests(done):
    with reading(ALL) as connection:
        query = select(REQUESTS).where(REQUESTS.c.payment_id == done.payment["id"]).order_by(REQUESTS.c.id)
        return connection.execute(query).mappings().all()


def _request(done):
    return _requests(done)[-1]


def _operation_codes(done):
    with reading(ALL) as connection:
        query = text("SELECT code FROM operations WHERE payment_id = :id ORDER BY id")
        return list(connection.execute(query, {"id": done.payment["id"]}).scalars())
