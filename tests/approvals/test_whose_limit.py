"""A command that came to nothing does not count towards the day's limit, whoever brought the no."""

from datetime import timedelta

import pytest

from app.approvals.ask import permit
from app.connectors.kinds import DeclineCode
from app.core.ids import public_id
from app.payments.refund import refund
from app.payments.resolve import resolve
from tests import factories
from tests.approvals.conftest import asker
from tests.payments.histories.world import make_old

LATER = 66_07  # acquirer A refunds it later, or says later that it will not
SILENT = 66_05  # it answers nothing


@pytest.mark.parametrize("bringer", ["news", "resolver"])
def test_a_no_that_comes_later_frees_the_limit(tenant, desk, bringer):
    """150 EUR a day and 100 each: after 66 that came to nothing, 100 and 50 still go."""
    done = factories.captured(tenant, 400_00)
    amount = LATER if bringer == "news" else SILENT
    first = _refund(tenant, done, desk, amount)
    assert first.operation["state"] == ("pending" if bringer == "news" else "unknown")
    if bringer == "news":
        factories.hear(tenant, first, "refund", "declined", LATER, reference="r-no", code=DeclineCode.NOT_PERMITTED)
    else:
        make_old(public_id("op", first.operation["id"]), timedelta(seconds=90))
        assert resolve(first.operation["id"], merchant_id=tenant.merchant_id, live=False).operation["state"] == "failed"
    for again in (100_00, 50_00):
        assert _refund(tenant, done, desk, again).operation["state"] == "succeeded"
    assert _refund(tenant, done, desk, 1_00).operation["state"] == "pending_approval"


def _refund(tenant, done, desk, amount):
    return refund(
        merchant_id=tenant.merchant_id,
        live=False,
        payment_id=done.payment["id"],
        actor=desk.maker.actor,
        amount=amount,
        permit=permit(asker(desk.maker)),
    )
