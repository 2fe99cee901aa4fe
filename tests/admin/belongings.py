"""One thing of a merchant's of every kind that an address of the back office names, for tests that walk them all."""

from typing import Any

from sqlalchemy import select, text

from app.batches.start import Line, start
from app.core.db import ALL, atomic, of, reading
from app.core.ids import public_id, uuid7
from app.customers.add import add_customer
from app.exports.ask import ask
from app.messages.endpoints import add_endpoint, send_test
from app.payments.offers import offers
from app.payments.queries import OPERATIONS
from app.payments.search import Filters
from app.risk import block
from app.risk.take import take
from app.staff.add import add_user
from app.staff.snapshot import snapshot
from tests import factories
from tests.admin.desk import PASSWORD
from tests.admin.screens_to_see import _dispute
from tests.admin.waiting import waiting

# What concerns no merchant: users, roles, jobs, and what is somebody's own.
OF_NOBODY = frozenset(
    "users user_access login_safety passkeys grants roles jobs figures payment_desk approval_rules".split()
)


def belongings(tenant: factories.Tenant) -> dict[str, str]:
    """screen -> public id; `document` is a file of the dispute's. Needs an application context."""
    done = factories.authorised(tenant, 5_000)
    payment, merchant = public_id("pay", done.payment["id"]), public_id("mer", tenant.merchant_id)
    whose = {"merchant_id": tenant.merchant_id, "live": False}
    with atomic(ALL) as connection:
        endpoint_id, _ = add_endpoint(connection, **whose, url="http://127.0.0.1:9/in", actor="test")
        delivery_id = send_test(connection, endpoint_id=endpoint_id, actor="test")
        address = block.email(f"{delivery_id}@example.org")
        entry_id = block.block(connection, **whose, actor="test", blocked=address, reason="chargebacks")
        customer = add_customer(connection, **whose, actor="test", columns={"name": "Erika Muster"})
        take(connection, **whose, payment_id=done.payment["id"], step="details", answer={"name": "Erika"})
    dispute, document = _dispute(tenant)
    batch, export = _of_somebody(tenant, done)
    with reading(of(tenant.merchant_id, False)) as connection:
        operations = select(OPERATIONS.c.id).where(OPERATIONS.c.payment_id == done.payment["id"])
        operation = connection.execute(operations).scalars().first()
        about = text("SELECT id FROM events WHERE payment_id = :id LIMIT 1")
        event = connection.execute(about, {"id": done.payment["id"]}).scalar_one()
    return {
        **dict.fromkeys(("payments", "payment_actions", "payment_notes", "payer_record", "reveal", "over"), payment),
        **dict.fromkeys(("merchants", "onboarding", "methods", "ceilings", "periods"), merchant),
        **dict.fromkeys(("disputes", "evidence"), dispute),
        "document": document,
        "customers": public_id("cus", customer["id"]),
        "batches": batch,
        "exports": export,
        "blocks": public_id("blk", entry_id),
        "shops": public_id("shp", tenant.shop_id),
        "contracts": public_id("ctr", tenant.contract_id),
        "keys": public_id("key", tenant.key_id),
        "endpoints": public_id("whe", endpoint_id),
        "deliveries": public_id("dlv", delivery_id),
        "events": public_id("evt", event),
        "unknown": public_id("op", operation),
        "approvals": public_id("apr", waiting(tenant)),
    }


def _of_somebody(tenant: factories.Tenant, done: factories.Done) -> tuple[str, str]:
    """A batch and an export that some administrator asked for."""
    with atomic(ALL) as connection:
        email = f"{uuid7().hex[-12:]}@example.com"
        user_id = add_user(connection, email=email, password=PASSWORD, roles=["admin"], actor="test")
    with atomic(of(tenant.merchant_id, False)) as connection:
        offered = offers(connection, "capture", [done.payment["id"]])
        lines = [Line(done.payment, one.amount, one.refused) for one in offered.values()]
        given: dict[str, Any] = {"live": False, "reason": "goods sent", "user_id": user_id, "actor": "test"}
        batch = public_id("bat", start(connection, "capture", lines, nonce=f"walk {user_id}", **given))
    with reading(ALL) as connection:
        staff = snapshot(connection, user_id)
    assert staff is not None
    with atomic(ALL) as connection:
        filters = Filters(live=False, merchants=[tenant.merchant_id])
        export = ask(connection, filters, form="csv", columns=["id"], oldest_first=False, staff=staff)
    return batch, public_id("exp", export["id"])
