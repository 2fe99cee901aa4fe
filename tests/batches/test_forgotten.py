"""Batches are forgotten when their time is over; those under way never are."""

from datetime import timedelta

import time_machine

from app.batches.work import work
from app.core.clock import now
from jobs import forget
from tests import factories
from tests.batches.conftest import rows_of


def test_what_is_over_goes_after_ninety_days(app, tenant, begin):
    done = factories.authorised(tenant)
    over = begin("capture", [done])
    work(app, 100)
    under_way = begin("capture", [factories.authorised(tenant)])
    (kept,) = (one for one in forget.KEPT if "batches" in one.sql)
    with time_machine.travel(now() + timedelta(days=91)):
        forget.forget(kept, 100)
    assert rows_of(over) == []
    assert len(rows_of(under_way)) == 1
    assert factories.fresh(done)["captured"] == 10_000
