"""A request for approval, for tests that need one to stand there."""

from uuid import UUID

from app.approvals.ask import REQUESTS, permit
from app.approvals.kinds import Asker
from app.core.db import ALL, atomic, reading
from app.core.limits import Allowance, Limit
from app.payments.refund import refund
from app.staff.add import add_user
from app.staff.datastore import StaffDatastore
from tests import factories
from tests.admin.desk import PASSWORD


def waiting(tenant: factories.Tenant) -> UUID:
    """A refund that waits for approval."""
    if not StaffDatastore().find_user(email="above@example.com"):
        with atomic(ALL) as connection:
            add_user(connection, email="above@example.com", password=PASSWORD, roles=["supervisor"], actor="test")
    done = factories.captured(tenant, 5_000)
    whose = {"merchant_id": tenant.merchant_id, "live": False, "payment_id": done.payment["id"], "actor": "staff:x"}
    refund(**whose, amount=1_000, permit=permit(Asker("staff:x", lambda *_: (Allowance(Limit(each=1)),))))
    with reading(ALL) as connection:
        query = REQUESTS.select().where(REQUESTS.c.payment_id == done.payment["id"])
        return connection.execute(query).mappings().one()["id"]
