"""Daily totals and amounts: of whom, at which merchant, over which time, and under races."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.approvals import ask, decide, rules
from app.approvals.ask import RestNotYours, permit
from app.approvals.kinds import Asker
from app.approvals.rules import add_rule
from app.core.db import ALL, atomic, reading
from app.core.ids import public_id
from app.core.limits import Allowance, Limit
from app.merchants import keys
from app.payments.capture import capture
from app.payments.refund import refund
from app.staff.grant import Given
from tests import factories
from tests.approvals.conftest import asker
from tests.approvals.test_money import REFUSED, _request, _whom, refunded
from tests.books import told

DAY = {"payment.refund": {"EUR": Limit(None, 100_00)}}


def used(staff, tenant, permission="payment.refund"):
    with reading(ALL) as connection:
        payment = {"merchant_id": tenant.merchant_id, "live": False, "currency": "EUR"}
        return rules.used(connection, staff.actor, permission, payment)


def test_a_checkers_day_has_a_limit_too(tenant, someone):
    maker = someone("operator", limits={"payment.refund": {"EUR": Limit(1_00)}})
    checker = someone("supervisor", limits={"payment.refund": {"EUR": Limit(100_00, 150_00)}})
    first, second = factories.captured(tenant, 100_00), factories.captured(tenant, 100_00)
    for done in (first, second):
        refunded(tenant, done, 100_00, maker)
    assert decide.approve(_request(first)["id"], checker, scope=ALL)["state"] == "executed"
    assert used(checker, tenant) == 100_00
    with pytest.raises(decide.CannotDecide):
        decide.approve(_request(second)["id"], checker, scope=ALL)
    assert (_request(second)["state"], factories.fresh(second)["refunded"]) == ("pending", 0)


def test_each_grant_adds_up_its_own_merchants(acquirers, tenant, someone):
    other = factories.tenant(acquirers["A"])
    here, there = frozenset({tenant.merchant_id}), frozenset({other.merchant_id})
    maker = someone("operator", grants=[Given("operator", here, DAY), Given("operator", there, DAY)])
    someone("supervisor")
    assert refunded(tenant, factories.captured(tenant, 100_00), 90_00, maker).operation["state"] == "succeeded"
    assert refunded(other, factories.captured(other, 100_00), 90_00, maker).operation["state"] == "succeeded"
    assert refunded(other, factories.captured(other, 100_00), 20_00, maker).operation["state"] == "pending_approval"


def test_one_grant_over_two_merchants_has_one_day(acquirers, tenant, someone):
    other = factories.tenant(acquirers["A"])
    both = frozenset({tenant.merchant_id, other.merchant_id})
    maker, _checker = someone("operator", merchants=both, limits=DAY), someone("supervisor")
    assert refunded(tenant, factories.captured(tenant, 100_00), 90_00, maker).operation["state"] == "succeeded"
    assert refunded(other, factories.captured(other, 100_00), 20_00, maker).operation["state"] == "pending_approval"


def test_two_narrow_grants_make_no_wide_one(tenant, someone):
    small = {"payment.refund": {"EUR": Limit(10_00)}}
    maker = someone("operator", grants=[Given("operator", None, small), Given("refund_desk", None, DAY)])
    someone("supervisor")
    done = factories.captured(tenant, 300_00)
    assert refunded(tenant, done, 100_00, maker).operation["state"] == "succeeded"
    assert refunded(tenant, done, 10_00, maker).operation["state"] == "succeeded"
    assert refunded(tenant, done, 11_00, maker).operation["state"] == "pending_approval"


def test_under_races_nobody_gets_above_their_day(app, tenant, someone):
    maker, _checker = someone("operator", limits={"payment.refund": {"EUR": Limit(None, 50_00)}}), someone("supervisor")
    payments = [factories.captured(tenant, 20_00) for _ in range(8)]

    def one(done):
        with app.app_context():
            return refunded(tenant, done, 20_00, maker).operation["state"]

    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(one, payments))
    assert sorted(states) == ["pending_approval"] * 6 + ["succeeded"] * 2
    assert sum(factories.fresh(done)["refunded"] for done in payments) == 40_00


def test_a_no_gives_back_and_a_late_yes_takes_again(tenant, someone):
    maker = someone("operator", limits=DAY)
    done = factories.captured(tenant, 100_00)
    refused = refunded(tenant, done, REFUSED, maker)
    assert (refused.operation["state"], used(maker, tenant)) == ("declined", 0)
    assert factories.hear(tenant, refused, "refund", "approved", REFUSED, reference="late-1")
    assert told(done.payment["id"])[-1] == "refund.succeeded"
    assert used(maker, tenant) == REFUSED


def test_only_the_part_that_failed_does_not_count(tenant, someone):
    """Where a refund needs several calls, it is several operations of one group."""
    maker = someone("operator", limits={"payment.refund": {"EUR": Limit(None, 200_00)}})
    one = refunded(tenant, factories.captured(tenant, 100_00), 50_00, maker).operation["group_id"]
    other = refunded(tenant, factories.captured(tenant, 100_00), 30_00, maker).operation["group_id"]
    joined = "UPDATE operations SET group_id = :one, state = 'failed' WHERE group_id = :other"
    with atomic(ALL) as connection:
        connection.execute(text(joined), {"one": one, "other": other})
        rules.recount(connection, one)
        rules.recount(connection, other)
    assert used(maker, tenant) == 50_00


def test_many_small_ones_are_a_large_one(tenant, someone):
    maker, _checker = someone("operator"), someone("supervisor")
    with atomic(ALL) as connection:
        add_rule(connection, actor="t", merchant_id=tenant.merchant_id, action="refund", currency="EUR", above=50_00)
    done = factories.captured(tenant, 200_00)
    assert refunded(tenant, done, 50_00, maker).operation["state"] == "succeeded"
    assert refunded(tenant, done, 50_00, maker).operation["state"] == "pending_approval"
    assert _request(done)["why"]["above"] == 50_00
    other = factories.captured(tenant, 200_00)
    assert refunded(tenant, other, 50_00, maker).operation["state"] == "succeeded", "it is about one payment"


class TestTheRest:
    """A last capture gives the rest back: that is a cancellation by whoever asks for it."""

    def last(self, tenant, done, who, amount=1):
        return capture(
            **_whom(tenant, done, who),
            amount=amount,
            final=True,
            permit=permit(who if isinstance(who, Asker) else asker(who)),
        )

    def test_it_is_within_the_limits_for_cancelling(self, tenant, someone):
        maker, checker = someone("operator", limits={"payment.cancel": {"EUR": Limit(50_00)}}), someone("supervisor")
        done = factories.authorised(tenant, 200_00)
        assert self.last(tenant, done, maker).operation["state"] == "pending_approval"
        request = _request(done)
        assert (request["amount"], request["params"]["rest"], request["why"]["limit"]) == (1, 199_99, 50_00)
        tight = someone("supervisor", limits={"payment.cancel": {"EUR": Limit(50_00)}})
        with pytest.raises(decide.CannotDecide):
            decide.approve(request["id"], tight, scope=ALL)
        assert decide.approve(request["id"], checker, scope=ALL)["state"] == "executed"
        payment = factories.fresh(done)
        assert (payment["captured"], payment["cancelled"]) == (1, 199_99)
        small = factories.authorised(tenant, 40_00)
        assert self.last(tenant, small, maker).operation["state"] == "succeeded"

    def test_a_rule_for_cancellations_calls_for_a_second_person(self, tenant, someone):
        maker, _checker = someone("operator"), someone("supervisor")
        with atomic(ALL) as connection:
            add_rule(connection, actor="test", merchant_id=tenant.merchant_id, action="cancel")
        done = factories.authorised(tenant, 200_00)
        assert (
            capture(**_whom(tenant, done, maker), amount=1, permit=permit(asker(maker))).operation["state"]
            == "succeeded"
        )
        assert self.last(tenant, done, maker).operation["state"] == "pending_approval"

    def test_who_may_not_cancel_gives_nothing_back(self, tenant):
        held_back = Asker(
            "key:x", lambda *_: (Allowance(),), strict=True, may=lambda what, _m: what == "payment.capture"
        )
        done = factories.authorised(tenant, 200_00)
        with pytest.raises(RestNotYours):
            capture(**{**_whom(tenant, done, None), "actor": "key:x"}, amount=1, final=True, permit=permit(held_back))
        payment = factories.fresh(done)
        assert (payment["captured"], payment["capture_pending"], payment["cancelled"]) == (0, 0, 0)

    def test_both_count_towards_their_days(self, tenant, someone):
        limits = {"payment.capture": {"EUR": Limit(None, 100_00)}, "payment.cancel": {"EUR": Limit(None, 100_00)}}
        maker = someone("operator", limits=limits)
        self.last(tenant, factories.authorised(tenant, 100_00), maker, 30_00)
        assert (used(maker, tenant, "payment.capture"), used(maker, tenant, "payment.cancel")) == (30_00, 70_00)


class TestKeys:
    """A key that is rotated stays what it was, for limits and rules."""

    def key(self, tenant, key_id):
        lineage = self.lineage(key_id)
        return Asker(
            f"key:{public_id('key', key_id)}",
            lambda *_: (Allowance(Limit(None, 50_00)),),
            key_id=lineage,
            strict=True,
        )

    def lineage(self, key_id):
        with reading(ALL) as connection:
            return connection.execute(keys.ApiKey.__table__.select().where(keys.ApiKey.id == key_id)).one().lineage

    def test_rotating_begins_no_new_day_and_leaves_no_rule_behind(self, tenant, someone):
        someone("supervisor")
        with atomic(ALL) as connection:
            whose = {"merchant_id": tenant.merchant_id, "live": False, "actor": "t"}
            first, _ = keys.issue(connection, name="k", **whose)
            second, _ = keys.rotate(connection, first, overlap=timedelta(hours=1), actor="t")
        done = factories.captured(tenant, 200_00)

        def give_back(key_id, amount):
            key = self.key(tenant, key_id)
            return refund(**{**_whom(tenant, done, None), "actor": key.actor}, amount=amount, permit=permit(key))

        give_back(first, 40_00)
        with pytest.raises(ask.OverLimit):
            give_back(second, 20_00)
        with atomic(ALL) as connection:  # a rule that names the second holds for the third
            add_rule(connection, actor="t", merchant_id=tenant.merchant_id, action="refund", api_key_id=second)
            third, _ = keys.rotate(connection, second, overlap=timedelta(0), actor="t")
        assert give_back(third, 5_00).operation["state"] == "pending_approval"

    def test_rotating_never_lengthens_a_life(self, tenant):
        with atomic(ALL) as connection:
            whose = {"merchant_id": tenant.merchant_id, "live": False, "actor": "t"}
            first, secret = keys.issue(connection, name="k", **whose)
            keys.rotate(connection, first, overlap=timedelta(hours=1), actor="t")
        ends = self.row(first).expires_at
        with atomic(ALL) as connection:
            keys.rotate(connection, first, overlap=timedelta(days=7), actor="t")
        assert self.row(first).expires_at == ends
        with atomic(ALL) as connection:
            keys.rotate(connection, first, overlap=timedelta(0), actor="t")
        assert keys.authenticate(secret) is None
        with pytest.raises(keys.KeyEnded), atomic(ALL) as connection:
            keys.rotate(connection, first, overlap=timedelta(days=1), actor="t")
        assert keys.authenticate(secret) is None

    def row(self, key_id):
        with reading(ALL) as connection:
            return connection.execute(keys.ApiKey.__table__.select().where(keys.ApiKey.id == key_id)).one()
