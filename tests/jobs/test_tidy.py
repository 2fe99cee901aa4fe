"""Tidying removes what is old and leaves what is not."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.idempotency import Once, claim
from app.core.ids import uuid7
from jobs import tidy
from tests import factories

pytestmark = pytest.mark.usefixtures("context")


def test_old_runs_go(acquirers):
    with atomic(ALL) as connection:
        for name, age in (("old", timedelta(days=8)), ("young", timedelta(days=6))):
            connection.execute(
                text("INSERT INTO job_runs (name, slot, leased_until, started_at) VALUES (:name, :slot, :slot, :slot)"),
                {"name": name, "slot": now() - age},
            )
    assert tidy.run(100) == 1
    with reading(ALL) as connection:
        assert connection.execute(text("SELECT name FROM job_runs")).scalars().all() == ["young"]


def test_keys_older_than_30_days_go(acquirers):
    tenant = factories.tenant(acquirers["A"])
    with atomic(ALL) as connection:
        for key in ("old", "young"):
            once = Once(key, "POST /v1/payments", b"{}")
            claim(connection, once, tenant.merchant_id, False, ("payment", uuid7()))
        connection.execute(
            text("UPDATE idempotency_keys SET created_at = created_at - interval '31 days' WHERE key = 'old'")
        )
    tidy.run(100)
    with reading(ALL) as connection:
        keys = connection.execute(
            text("SELECT key FROM idempotency_keys WHERE merchant_id = :id"), {"id": tenant.merchant_id}
        )
        assert keys.scalars().all() == ["young"]
