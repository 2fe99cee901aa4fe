"""The picture of a payment's states: every status has its place, and what really happens follows its lines."""

import itertools

from app.payments.cancel import cancel
from app.payments.capture import capture
from app.payments.refund import refund
from app.payments.states import ENDS, NEXT, ROAD, STATUSES
from tests import factories


def test_every_status_has_its_place_and_its_way_on():
    assert sorted(ROAD + ENDS) == sorted(STATUSES) == sorted(NEXT)
    assert {after for afters in NEXT.values() for after in afters} <= set(STATUSES)


def test_what_happens_follows_the_lines(tenant, act):
    def walk(done, *steps):
        statuses = ["created", factories.fresh(done)["status"]]
        for verb, amount in steps:
            more = {"amount": amount} if amount else {}
            verb(**act, payment_id=done.payment["id"], **more)
            statuses.append(factories.fresh(done)["status"])
        return statuses

    walked = [
        walk(factories.authorised(tenant, 5_000), (capture, 2_000), (capture, None), (refund, 100), (refund, None)),
        walk(factories.authorised(tenant, 5_000), (capture, 2_000), (refund, 500), (refund, None)),
        walk(factories.authorised(tenant, 5_000), (cancel, None)),
        walk(factories.authorised(tenant, 5_000), (capture, 1_000), (cancel, None)),
        walk(factories.authorised(tenant, card=factories.card("insufficient_funds"))),
        walk(factories.authorised(tenant, card=factories.card("challenge")), (cancel, None)),
    ]
    assert [statuses[-1] for statuses in walked] == [
        *("refunded", "refunded", "cancelled", "captured", "failed", "cancelled")
    ]
    for statuses in walked:
        for before, after in itertools.pairwise(statuses):
            assert before == after or after in NEXT[before], (before, after)
