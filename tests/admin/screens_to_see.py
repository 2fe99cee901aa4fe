"""Every page of the back office that can be opened, with something on it; for tests that look at all of them."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rq.registry import FailedJobRegistry
from sqlalchemy import insert, select, text, update

from app.approvals.ask import permit
from app.approvals.kinds import Asker
from app.approvals.rules import add_rule
from app.batches.start import Line, start
from app.connectors.kinds import DisputeNews
from app.core import queue
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading, table_of
from app.core.ids import parse_id, public_id, uuid7
from app.core.limits import Allowance, Limit
from app.core.reactions import FailedReaction
from app.core.runs import finish
from app.core.runs import take as take_run
from app.customers.add import add_customer
from app.desks.filters import save
from app.exports.ask import ask
from app.exports.make import TooManyRows, at_once, refuse, take
from app.figures.depths import measure
from app.figures.roll_up import roll_up
from app.merchants.add import add_merchant
from app.messages.endpoints import DELIVERIES, add_endpoint, send_test
from app.messages.relay import relay
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.capture import capture
from app.payments.evidence import add_evidence
from app.payments.note import note
from app.payments.offers import offers
from app.payments.queries import OPERATIONS
from app.payments.refund import refund
from app.payments.search import Filters
from app.risk import block
from app.risk.take import take as take_answer
from app.staff import links
from app.staff.add import USERS
from app.staff.make_role import add_role
from app.staff.snapshot import snapshot
from tests import factories
from tests.admin.desk import user
from tests.documents.files import PDF, png


def pages(acquirers: Any) -> dict[str, str]:
    """Makes one of everything and returns name -> address. Needs an application context."""
    shop = factories.tenant(acquirers["A"])
    to = {"merchant_id": shop.merchant_id, "live": False, "actor": "test"}
    open_ = factories.authorised(shop, 5_000)
    captured = factories.captured(shop, 8_000)
    refund(**to, payment_id=captured.payment["id"], amount=1_250, reason="return")
    refund(
        **{**to, "actor": "staff:someone.with.a.long.name@zahlwerk.example"},
        payment_id=captured.payment["id"],
        amount=1,
    )
    failed = factories.authorised(shop, card=factories.card("insufficient_funds"))
    held = factories.held_for_review(shop, 60_000)
    factories.done_in_portal(shop, factories.captured(shop, 1_200), "capture", 300)
    dispute, file = _dispute(shop)
    silent = _without_an_answer(shop, acquirers, to)
    endpoint, delivery, event = _messages(shop)
    mer, shp = public_id("mer", shop.merchant_id), public_id("shp", shop.shop_id)
    ctr, key = public_id("ctr", shop.contract_id), public_id("key", shop.key_id)
    pay = {
        name: public_id("pay", done.payment["id"])
        for name, done in (("open", open_), ("captured", captured), ("failed", failed), ("held", held))
    }
    someone, customer, new = _someone(), _customer(shop, open_), public_id("mer", _new_merchant())
    _failures()
    return {
        "start": "",
        "figures": f"figures/?{_rolled_up()}",
        "figures_of_a_year": f"figures/?since=2025-12-01&until=2026-11-30&merchant={mer}",
        "figures_wrong_period": "figures/?since=2026-02-01&until=2026-01-01",
        "payments": f"payments/?merchant={mer}&status=authorised&least=1&most=900&currency=EUR",
        "payment_open": f"payments/{pay['open']}",
        "payment_captured": f"payments/{pay['captured']}",
        "payment_failed": f"payments/{pay['failed']}",
        "payment_held": f"payments/{pay['held']}",
        "capture": f"payments/{pay['open']}/capture",
        "refund": f"payments/{pay['captured']}/refund",
        "cancel": f"payments/{pay['open']}/cancel",
        "release": f"payments/{pay['held']}/release",
        "payment_filters": "payments/filters",
        "payments_wrong_filters": "payments/?merchant=mer_none&since=2026-13-45",
        "batch_cancel": f"batches/cancel?payment={pay['open']}",
        "batch_new": f"batches/capture?payment={pay['open']}&payment={pay['captured']}",
        "batches": "batches/",
        "batch": f"batches/{_batch(open_, failed)}",
        "exports": "exports/",
        "search": "search/?q=erika",
        "search_nothing": "search/?q=nothing-like-this",
        "unknown": "unknown/",
        "unknown_correct": f"unknown/{silent}/correct",
        "reviews": "reviews/",
        "over": "over/",
        "customers": "customers/",
        "customer": f"customers/{customer}",
        "customer_export": f"customers/{customer}/export",
        "customer_erase": f"customers/{customer}/erase",
        "customer_restrict": f"customers/{customer}/restrict",
        "reveal": f"reveal/answers/{pay['open']}",
        "disputes": "disputes/",
        "dispute": f"disputes/{dispute}",
        "evidence_add": f"disputes/{dispute}/evidence",
        "evidence_remove": f"disputes/{dispute}/evidence/{file}/remove",
        "merchants": "merchants/",
        "merchant": f"merchants/{mer}",
        "merchant_add": "merchants/add",
        "merchant_change": f"merchants/{mer}/change",
        "merchant_clock": f"merchants/{new}/clock",
        "onboarding": f"onboarding/{mer}",
        "onboarding_new": f"onboarding/{new}",
        "methods": f"methods/{mer}",
        "shops": "shops/",
        "shop": f"shops/{shp}",
        "shop_add": f"shops/add?merchant={mer}",
        "shop_change": f"shops/{shp}/change?setup=1",
        "blocks": "blocks/",
        "block_add": f"blocks/add?merchant={mer}",
        "block_card": f"blocks/add?payment={pay['captured']}",
        "block_remove": f"blocks/{_blocked(shop)}/remove",
        "ceilings": "ceilings/",
        "ceiling_choose": f"ceilings/choose?merchant={mer}&currency=CHF",
        "ceiling_change": f"ceilings/{mer}/change?currency=EUR",
        "contracts": "contracts/",
        "contract": f"contracts/{ctr}?setup=1",
        "contract_provider": f"contracts/add?merchant={mer}",
        "contract_add": f"contracts/add?merchant={mer}&provider=stripe",
        "contract_change": f"contracts/{ctr}/change",
        "keys": "keys/",
        "key_issue": f"keys/issue?merchant={mer}",
        "key_rotate": f"keys/{key}/rotate",
        "key_revoke": f"keys/{key}/revoke",
        "endpoints": "endpoints/",
        "endpoint": f"endpoints/{endpoint}?test={delivery}",
        "endpoint_add": f"endpoints/add?merchant={mer}",
        "endpoint_change": f"endpoints/{endpoint}/change",
        "endpoint_delete": f"endpoints/{endpoint}/delete",
        "deliveries": "deliveries/",
        "delivery": f"deliveries/{delivery}",
        "events": "events/",
        "event": f"events/{event}",
        "jobs": "jobs/",
        "books": "books/",
        "periods": "periods/",
        "period_close": f"periods/{new}/close",
        "users": "users/",
        "user": f"users/{someone}",
        "user_add": "users/add",
        "user_change": f"users/{someone}/change",
        "user_switch": f"users/{someone}/switch",
        "grant_add": f"users/{someone}/grants/add",
        "grant_change": f"users/{someone}/grants/0/change",
        **_approvals(shop, captured),
        "roles": "roles/",
        "role_add": "roles/add",
        "role_change": f"roles/{_role()}/change",
        "user_factor": f"users/{someone}/factor",
        "account": "account/",
        "login_safety": "account/safety/",
        "authenticator": "account/authenticator/",
        "authenticator_remove": "account/authenticator/remove",
        "passkey_add": "account/passkeys/add",
        "confirm": "confirm?next=/admin/payments/",
        "account_password": "account/password",
    }


# Addresses that a browser opens and that are no screen of their own: endpoint -> why no walk looks at it.
NO_SCREEN = {
    "security.login": "before the log-in: test_in_a_browser.py looks at it by itself",
    "entrance.second_step": "between two steps of a log-in: test_passkeys.py looks at it",
    "entrance.confirm_options": "JSON for the browser's passkeys",
    "entrance.second_step_options": "JSON for the browser's passkeys",
    "entrance.passkey_options": "JSON for the browser's passkeys",
    "office_passkeys.options": "JSON for the browser's passkeys",
    "office_passkeys.remove": "needs a passkey of one's own: test_passkeys.py looks at it",
    "office_authenticator.codes": "needs a second factor: test_passkeys.py looks at it",
    "office_payment_actions.capture_effect": "a sentence for the form of a capture",
    "office_payment_actions.refund_effect": "a sentence for the form of a refund",
    "office_shops.contrast": "a sentence for the form of a shop",
    "office_shops.logo": "a picture",
    "office_evidence.file": "a file",
    "office_exports.file": "a file",
    "office_figures.file": "a file",
}


def before_the_log_in() -> dict[str, str]:
    """What opens without one. Needs an application context."""
    user_id = parse_id("usr", _someone("invited@example.com"))
    found = {"forgotten": "forgotten", "link_ended": "reset/none"}
    for purpose, path in (("invitation", "invite"), ("reset", "reset")):
        with atomic(ALL) as connection:
            link_id = links.send(connection, user_id, purpose, actor="test")
        found[purpose] = f"{path}/{links.token(link_id, purpose)}"
        if purpose == "invitation":
            user_id = parse_id("usr", _someone("forgetful@example.com"))  # a newer link ends the one before
    return found


def arrange_desk(email: str) -> None:
    """A filter that is kept, and files: ready, refused and under way. Needs an application context."""
    with reading(ALL) as connection:
        user_id = connection.execute(select(USERS.c.id).where(USERS.c.email == email)).scalar_one()
        staff = snapshot(connection, user_id)
    assert staff is not None
    for name, shared in (("Captured", True), ("To look at again", False)):
        whose: dict[str, Any] = {"user_id": user_id, "screen": "payments", "actor": staff.actor}
        with atomic(ALL) as connection:
            save(connection, name=name, query="status=captured", shared=shared, **whose)
    wanted = Filters(live=False)
    for state in ("ready", "refused", "waiting"):
        with atomic(ALL) as connection:
            export = ask(connection, wanted, form="csv", columns=["id"], oldest_first=True, staff=staff)
        if state == "ready":
            at_once(export["id"], 10_000)
        elif state == "refused":
            taken = take(export["id"])
            assert taken is not None
            refuse(taken, TooManyRows(most=2_000_000))


def _failures() -> None:
    """A job that failed in its queue, a reaction that raised, and a run of a job that broke."""
    failed = queue.queue(queue.DEFAULT)
    job = failed.enqueue_call(queue.RUN, ("send_mails",), failure_ttl=3_600)
    failed.remove(job)
    FailedJobRegistry(queue=failed).add(job, 3_600, exc_string="Traceback\nsmtplib.SMTPServerDisconnected: closed")
    with atomic(ALL) as connection:
        event_id = connection.execute(text("SELECT id FROM events LIMIT 1")).scalar_one()
        values = {"event_id": event_id, "reaction": "mail", "error": "KeyError: 'shop'", "attempts": 3}
        connection.execute(insert(table_of(FailedReaction)).values(id=uuid7(), failed_at=now(), **values))
        slot = now().replace(microsecond=0)
        assert take_run(connection, "prove_books", slot, 60, next_slot=None)
        finish(connection, "prove_books", slot, "failed: OperationalError")


def _blocked(shop: factories.Tenant) -> str:
    who = {"merchant_id": shop.merchant_id, "live": False, "actor": "test"}
    with atomic(ALL) as connection:
        block.block(connection, **who, blocked=block.ip("2001:db8::77"), reason="tries out cards")
        entry = block.block(connection, **who, blocked=block.email("betrug@example.org"), reason="three chargebacks")
    return public_id("blk", entry)


def _new_merchant() -> UUID:
    with atomic(ALL) as connection:
        return add_merchant(connection, name="Just begun GmbH", actor="test")


def _rolled_up() -> str:
    """Figures of all that was made here, and of what waits in queues. Returns the period as it stands in an address."""
    while relay():
        pass
    roll_up()
    measure()
    today = now().astimezone(ZoneInfo("Europe/Berlin")).date()
    return f"since={today - timedelta(days=6)}&until={today}"


def _dispute(shop: factories.Tenant) -> tuple[str, str]:
    """A dispute with two files. Returns its id and that of one of them."""
    done = factories.captured(shop, 4_000)
    reference = factories.authorisation_of(done)["provider_reference"]
    deadline = (now() + timedelta(days=6)).date()
    about = DisputeNews("charged_back", "dispute-of-the-tour", "fraudulent", fee=1_500, respond_by=deadline)
    more: dict[str, Any] = {"authorisation_reference": reference, "dispute": about}
    assert factories.hear(shop, done, "dispute", "approved", 4_000, reference=reference, **more)
    with reading(ALL) as connection:
        query = text("SELECT id FROM disputes WHERE payment_id = :id")
        dispute_id = connection.execute(query, {"id": done.payment["id"]}).scalar_one()
    files: tuple[dict[str, Any], ...] = (
        {"kind": "receipt", "filename": "Rechnung.pdf", "content": PDF},
        {
            "kind": "delivery_note",
            "filename": f"Lieferschein-{'unterschrieben' * 6}.png",
            "content": png(),
            "note": "Signed by the neighbour at 12:40, " + "https://track.example/" + "0123456789" * 12,
        },
    )
    with atomic(ALL) as connection:
        rows = [add_evidence(connection, dispute_id=dispute_id, actor="test", **file) for file in files]
    return public_id("dsp", dispute_id), public_id("doc", rows[0]["id"])


def _without_an_answer(shop: factories.Tenant, acquirers: Any, to: dict[str, Any]) -> str:
    done = factories.authorised(shop, 3_000)
    acquirers["A"].control(next="garbled")
    silent = capture(**to, payment_id=done.payment["id"], amount=1_000)
    with atomic(ALL) as connection:
        connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.id == silent.operation["id"])
            .values(created_at=now() - timedelta(hours=26))
        )
    return public_id("op", silent.operation["id"])


def _messages(shop: factories.Tenant) -> tuple[str, str, str]:
    with atomic(ALL) as connection:
        endpoint_id, _ = add_endpoint(
            connection, merchant_id=shop.merchant_id, live=False, url="http://127.0.0.1:9/in", actor="test"
        )
        delivery_id = send_test(connection, endpoint_id=endpoint_id, actor="test")
        connection.execute(
            update(DELIVERIES)
            .where(DELIVERIES.c.id == delivery_id)
            .values(state="failed", attempts=4, last_status=503, last_duration_ms=12, last_error="HTTP 503")
        )
    with reading(ALL) as connection:
        query = text("SELECT id FROM events WHERE name = 'payment.created' LIMIT 1")
        event_id = connection.execute(query).scalar_one()
    return public_id("whe", endpoint_id), public_id("dlv", delivery_id), public_id("evt", event_id)


def _approvals(shop: factories.Tenant, captured: Any) -> dict[str, str]:
    """A refund that waits, and a rule."""
    boss = user("supervisor", email="boss@example.com", name="Bo Ss")
    with atomic(ALL) as connection:
        add_rule(connection, actor="test", merchant_id=shop.merchant_id, action="refund", currency="EUR", above=20_000)
    asker = Asker("staff:someone", lambda *_: (Allowance(Limit(each=5_000)),))
    refund(
        merchant_id=shop.merchant_id,
        live=False,
        actor=asker.actor,
        payment_id=captured.payment["id"],
        amount=5_001,
        permit=permit(asker, reason="The parcel came back"),
    )
    with reading(ALL) as connection:
        request_id = connection.execute(text("SELECT id FROM approval_requests ORDER BY id DESC LIMIT 1")).scalar_one()
    assert boss
    return {
        "approvals": "approvals/",
        "approval": f"approvals/{public_id('apr', request_id)}",
        "approval_rules": "approval-rules/",
        "approval_rule_add": "approval-rules/add",
    }


def _role() -> str:
    with atomic(ALL) as connection:
        permissions = ["payment.read", "dispute.read"]
        return add_role(connection, label="Cashier", description="At the till", permissions=permissions, actor="test")


def _customer(shop: factories.Tenant, done: Any) -> str:
    """Somebody who has a stored card and answered a risk check."""
    whose = {"merchant_id": shop.merchant_id, "live": False}
    with atomic(of(shop.merchant_id, False)) as connection:
        address = {"street": "Musterweg 1", "postal_code": "10115", "city": "Berlin", "country": "DE"}
        columns = {"number": "K-1001", "name": "Erika Muster", "email": "erika@example.com", "address": address}
        row = add_customer(connection, **whose, actor="test", columns=columns)
        answer = {"name": "Erika Muster", "street": "Musterweg 1", "postcode": "10115", "city": "Berlin"}
        take_answer(connection, **whose, payment_id=done.payment["id"], step="details", answer=answer)
    means = Means("card", card=factories.GOOD_CARD, store=True)
    authorise(**whose, actor="test", order=factories.an_order(customer_id=row["id"]), means=means)
    return public_id("cus", row["id"])


def _batch(open_: Any, failed: Any) -> str:
    """One row waits, the other cannot be done."""
    rows, user_id = [open_.payment, failed.payment], parse_id("usr", _someone("batch@example.com"))
    with atomic(of(rows[0]["merchant_id"], False)) as connection:
        note(connection, rows[0]["id"], said="The customer called.", actor="test")
        offered = offers(connection, "capture", [row["id"] for row in rows])
        lines = [Line(row, offered[row["id"]].amount, offered[row["id"]].refused) for row in rows]
        given: dict[str, Any] = {"live": False, "reason": "goods sent", "user_id": user_id, "actor": "test"}
        return public_id("bat", start(connection, "capture", lines, nonce="of the tour", **given))


def _someone(email: str = "someone@example.com") -> str:
    user("support", email=email, name="Some One")
    with reading(ALL) as connection:
        table = text("SELECT id FROM staff_users WHERE email = :email")
        return public_id("usr", connection.execute(table, {"email": email}).scalar_one())
