"""What has served its time goes, what has not stays; and the README says the same as the table."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import insert, select, text

from app.approvals.ask import REQUESTS
from app.connectors.kinds import DisputeNews
from app.core.clock import now, replaying
from app.core.db import ALL, atomic, reading
from app.core.events import tell
from app.core.gone import unexplained
from app.core.idempotency import Once, claim
from app.core.ids import public_id, uuid7
from app.core.origin import came_from
from app.core.sequence import sequence, verify
from app.customers.add import add_customer
from app.customers.models import Instrument, InstrumentToken
from app.customers.restrict import restrict
from app.figures import depths
from app.payments.attempt import Means
from app.payments.authorise import authorise
from app.payments.evidence import add_evidence
from app.risk import block
from app.staff import sessions
from app.staff.add import add_user
from app.staff.change import set_active
from app.staff.sessions import Device
from jobs import forget
from tests import factories
from tests.documents.files import PDF

pytestmark = pytest.mark.usefixtures("context")
README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture
def tenant(acquirers):
    return factories.tenant(acquirers["A"])


def test_old_runs_go():
    with atomic(ALL) as connection:
        for name, age in (("old", timedelta(days=8)), ("young", timedelta(days=6))):
            connection.execute(
                text("INSERT INTO job_runs (name, slot, leased_until, started_at) VALUES (:name, :slot, :slot, :slot)"),
                {"name": name, "slot": now() - age},
            )
    assert forget.run(100) >= 1
    assert _column("SELECT name FROM job_runs") == ["young"]


def test_how_much_waited_long_ago_goes():
    for age in (99, 101):
        with replaying(now() - timedelta(days=age)), atomic(ALL) as connection:
            depths.note(connection, {f"{age} days ago": 1})
    forget.run(100)
    assert _column("SELECT queue FROM queue_depths") == ["99 days ago"]


def test_keys_older_than_30_days_go(tenant):
    with atomic(ALL) as connection:
        for key in ("old", "young"):
            once = Once(key, "POST /v1/payments", b"{}")
            claim(connection, once, tenant.merchant_id, False, ("payment", uuid7()))
        connection.execute(
            text("UPDATE idempotency_keys SET created_at = created_at - interval '31 days' WHERE key = 'old'")
        )
    forget.run(100)
    assert _column("SELECT key FROM idempotency_keys WHERE merchant_id = :id", id=tenant.merchant_id) == ["young"]


def test_a_card_that_never_came_into_use_goes_and_one_in_use_stays(tenant, acquirers):
    factories.add_contract_to(tenant, acquirers["C"].url, priority=200, acquirer=acquirers["C"])
    kept = _pay_and_keep(tenant, factories.GOOD_CARD).payment["instrument_id"]
    _pay_and_keep(tenant, factories.card("stolen_card"))
    assert len(_instruments(tenant)) == 2
    with time_machine.travel(now() + timedelta(days=6)):
        forget.run(100)
    assert len(_instruments(tenant)) == 2
    with time_machine.travel(now() + timedelta(days=8)):
        forget.run(100)
    assert _instruments(tenant) == [kept]
    with reading(ALL) as connection:
        query = select(InstrumentToken.instrument_id).where(InstrumentToken.merchant_id == tenant.merchant_id)
        assert set(connection.execute(query).scalars()) == {kept}


def test_where_somebody_logged_in_from_goes_and_the_chain_stays_whole():
    with atomic(ALL) as connection:
        user_id = add_user(
            connection, email="who@example.com", password="a long pass phrase", roles=["support"], actor="test"
        )
    came_from({"ip_address": "192.0.2.77"})
    sessions.begin(user_id, Device(uuid4(), "Firefox, Linux", "192.0.2.77"), ["password"])
    came_from({})
    while sequence():
        pass
    query = "SELECT count(*) FROM event_details d JOIN events e ON e.id = d.event_id WHERE e.actor = :actor"
    with time_machine.travel(now() + timedelta(days=91)):
        forget.run(100)
    assert _column("SELECT count(*) FROM staff_sessions WHERE user_id = :id", id=user_id) == [0]
    actor = f"staff:{public_id('usr', user_id)}"
    assert _column(query, actor=actor) == [1], "an audit trail lasts a year"
    with time_machine.travel(now() + timedelta(days=366)):
        forget.run(100)
    assert _column(query, actor=actor) == [0]
    told = "SELECT count(*) FROM event_details d JOIN events e ON e.id = d.event_id WHERE e.subject_id = :id"
    assert _column(told, id=user_id) == [0], "name and address of the user who was added went with it"
    with time_machine.travel(now() + timedelta(days=366)):
        assert not unexplained()


def test_where_a_change_of_a_customer_was_made_from_stays_with_what_it_says(tenant):
    """Details are sealed as one, so they go as one, and then with the longer time."""
    for name, details in (("customer.read", None), ("customer.changed", {"before": {"name": "Erika"}})):
        came_from({"ip_address": "192.0.2.78"})
        with atomic(ALL):
            whose = {"merchant_id": tenant.merchant_id, "live": False, "actor": "staff:usr_1", "details": details}
            tell(name, subject=("customer", uuid7()), **whose)
        came_from({})
    with time_machine.travel(now() + timedelta(days=366)):
        forget.run(100)
    query = "SELECT e.name FROM event_details d JOIN events e ON e.id = d.event_id WHERE d.body ->> 'ip_address' = :ip"
    assert _column(query, ip="192.0.2.78") == ["customer.changed"]
    assert verify()[1] is None


def test_payers_are_forgotten_when_eight_calendar_years_are_over(tenant):
    done = factories.authorised(tenant)
    made = done.payment["created_at"]
    with time_machine.travel(datetime(made.year + 8, 12, 31, 12, tzinfo=UTC)):
        forget.run(100)
    assert factories.fresh(done)["payer_name"] == "Erika Muster"
    with time_machine.travel(datetime(made.year + 9, 1, 1, 12, tzinfo=UTC)):
        forget.run(100)
    after = factories.fresh(done)
    assert (after["payer_name"], after["payer_email"], after["amount"]) == (None, None, 10_000)
    query = "SELECT count(*) FROM event_details d JOIN events e ON e.id = d.event_id WHERE e.payment_id = :id"
    assert _column(query, id=done.payment["id"]) == [0]


def test_a_card_can_be_blocked_as_long_as_chargebacks_come_and_not_longer(tenant):
    with time_machine.travel(now() - timedelta(days=551)):
        factories.authorised(tenant)
    with time_machine.travel(now() - timedelta(days=549)):
        young = factories.authorised(tenant).payment["id"]
    forget.run(100)
    left = "SELECT payment_id FROM authorisations WHERE merchant_id = :id AND card_fingerprint IS NOT NULL"
    assert _column(left, id=tenant.merchant_id) == [young]


def test_evidence_goes_three_calendar_years_after_the_last_news_of_its_dispute(tenant):
    done = factories.captured(tenant)
    reference = factories.authorisation_of(done)["provider_reference"]
    about = {"reference": reference, "authorisation_reference": reference}
    asked = DisputeNews("charged_back", "old-case", "fraudulent")
    assert factories.hear(tenant, done, "dispute", "approved", 10_000, **about, dispute=asked)
    (dispute_id,) = _column("SELECT id FROM disputes WHERE payment_id = :id", id=done.payment["id"])
    with atomic(ALL) as connection:
        given = {"kind": "receipt", "filename": "Erika Muster.pdf", "content": PDF, "note": "Erika", "actor": "test"}
        document_id = add_evidence(connection, dispute_id=dispute_id, **given)["id"]
    began = now()
    with time_machine.travel(datetime(began.year + 1, 6, 1, 12, tzinfo=UTC)):
        lost = DisputeNews("lost", "old-case", "fraudulent")
        assert factories.hear(tenant, done, "dispute", "approved", 10_000, **about, dispute=lost)
    with time_machine.travel(datetime(began.year + 4, 12, 31, 12, tzinfo=UTC)):
        forget.run(100)
    assert _column("SELECT filename FROM documents WHERE id = :id", id=document_id) == ["Erika Muster.pdf"]
    with time_machine.travel(datetime(began.year + 5, 1, 1, 12, tzinfo=UTC)):
        forget.run(100)
    left = "SELECT filename || note || coalesce(length(sealed), 0) FROM documents WHERE id = :id"
    assert _column(left, id=document_id) == ["0"]


def test_a_secret_that_nobody_fetched_goes_after_seven_days():
    common = {"action": "api_key", "params": {}, "facts": {}, "why": {}, "state": "executed", "step": 3, "reason": ""}
    with atomic(ALL) as connection:
        for days in (6, 8):
            at = now() - timedelta(days=days)
            when = {"requested_at": at, "expires_at": at, "decided_at": at}
            row = {
                "id": uuid7(),
                "subject_id": uuid7(),
                "maker": f"staff:{days}",
                "sealed": b"secret",
                **when,
                **common,
            }
            connection.execute(insert(REQUESTS).values(row))
    forget.run(100)
    assert _column("SELECT maker FROM approval_requests WHERE sealed IS NOT NULL") == ["staff:6"]


@pytest.mark.parametrize("kept", forget.KEPT, ids=lambda kept: kept.what)
def test_the_readme_says_how_long(kept):
    period = f"{kept.years} years" if kept.years else f"{kept.days} day" + ("s" if kept.days > 1 else "")
    assert f"| {kept.what} | {period} | {kept.why} |" in README.read_text()


def _pay_and_keep(tenant, card):
    return authorise(
        merchant_id=tenant.merchant_id,
        live=False,
        actor="test",
        order=factories.an_order(),
        means=Means("card", card=card, store=True),
    )


def _instruments(tenant):
    with reading(ALL) as connection:
        query = select(Instrument.id).where(Instrument.merchant_id == tenant.merchant_id)
        return list(connection.execute(query).scalars())


def _column(query, **values):
    with reading(ALL) as connection:
        return list(connection.execute(text(query), values).scalars())


def test_what_was_never_paid_is_no_voucher_and_is_forgotten_after_a_year(tenant):
    failed = factories.authorised(tenant, card=factories.card("stolen_card"))
    paid = factories.captured(tenant)
    details = "SELECT count(*) FROM event_details d JOIN events e ON e.id = d.event_id WHERE e.payment_id = :id"
    for days, left in ((364, "Erika Muster"), (366, None)):
        with time_machine.travel(now() + timedelta(days=days)):
            forget.run(100)
        assert factories.fresh(failed)["payer_name"] == left
        assert _column(details, id=failed.payment["id"]) == [1 if left else 0]
    assert factories.fresh(paid)["payer_name"] == "Erika Muster"
    assert _column(details, id=paid.payment["id"]) == [1]


def test_a_customer_who_has_not_paid_for_three_calendar_years_is_erased_and_it_is_told(tenant):
    whose = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    with atomic(ALL) as connection:
        idle, active, restricted = (
            add_customer(connection, **whose, columns={"name": name}) for name in ("Ida Idle", "Ada Aktiv", "Rita Ruht")
        )
        restrict(connection, customer_id=restricted["id"], reason="asked", actor="test")
    began = now()
    with time_machine.travel(datetime(began.year + 2, 6, 1, 12, tzinfo=UTC)):
        factories.captured(tenant, customer_id=active["id"])
    names = "SELECT name FROM customers WHERE merchant_id = :id AND name IS NOT NULL ORDER BY name"
    with time_machine.travel(datetime(began.year + 3, 12, 31, 12, tzinfo=UTC)):
        forget.run(100)
    assert _column(names, id=tenant.merchant_id) == ["Ada Aktiv", "Ida Idle", "Rita Ruht"]
    with time_machine.travel(datetime(began.year + 4, 1, 1, 12, tzinfo=UTC)):
        forget.run(100)
    assert _column(names, id=tenant.merchant_id) == ["Ada Aktiv", "Rita Ruht"]
    told = "SELECT data ->> 'reason' FROM events WHERE subject_id = :id AND name = 'customer.erased'"
    assert _column(told, id=idle["id"]) == ["retention"]


def test_a_stored_card_goes_when_it_has_lapsed_and_was_not_used_since(tenant):
    used, unused = (_pay_and_keep(tenant, factories.GOOD_CARD).payment["instrument_id"] for _ in range(2))
    with atomic(ALL) as connection:
        connection.execute(text("UPDATE instruments SET expiry_year = 2027, expiry_month = 3"))
    with time_machine.travel(datetime(2029, 1, 1, 12, tzinfo=UTC)):
        means = Means("card", instrument_id=used)
        order = factories.an_order()
        authorise(merchant_id=tenant.merchant_id, live=False, actor="test", order=order, means=means)
        forget.run(100)
    holders = "SELECT id FROM instruments WHERE merchant_id = :id AND active AND holder IS NOT NULL"
    assert _column(holders, id=tenant.merchant_id) == [used]
    tokens = "SELECT DISTINCT instrument_id FROM instrument_tokens WHERE merchant_id = :id"
    assert _column(tokens, id=tenant.merchant_id) == [used] and unused != used


def test_members_of_staff_who_left_are_forgotten_and_their_saved_filters_before():
    with atomic(ALL) as connection:
        whose = {"password": "a long pass phrase", "roles": ["support"], "actor": "test"}
        left = add_user(connection, email="left@example.com", name="Lena Left", **whose)
        here = add_user(connection, email="here@example.com", name="Hans Hier", **whose)
        for user_id in (left, here):
            values = {"id": uuid7(), "user": user_id, "at": now()}
            connection.execute(
                text(
                    "INSERT INTO saved_filters (id, user_id, screen, name, query, shared, changed_at)"
                    " VALUES (:id, :user, 'payments', 'mine', 'q=1', false, :at)"
                ),
                values,
            )
        set_active(connection, left, False, actor="test")
    began = now()
    with time_machine.travel(began + timedelta(days=91)):
        forget.run(100)
    assert _column("SELECT user_id FROM saved_filters") == [here]
    names = "SELECT name FROM staff_users WHERE id = ANY (:ids) ORDER BY name NULLS LAST"
    assert _column(names, ids=[left, here]) == ["Hans Hier", "Lena Left"]
    with time_machine.travel(datetime(began.year + 9, 1, 1, 12, tzinfo=UTC)):
        forget.run(100)
    assert _column(names, ids=[left, here]) == ["Hans Hier", None]
    assert _column("SELECT email FROM staff_users WHERE id = :id", id=left) == [f"{left}@left.invalid"]


def test_old_requests_for_approval_go_with_what_was_said_and_hints_of_block_lists_too(tenant):
    began = now()
    with atomic(ALL) as connection:
        who = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
        block.block(connection, **who, blocked=block.email("erika@example.org"), reason="chargebacks")
        for state in ("rejected", "pending"):
            values = {"id": uuid7(), "state": state, "at": began, "subject": uuid7()}
            connection.execute(
                text(
                    "INSERT INTO approval_requests (id, action, subject_id, params, facts, why, state, step, maker,"
                    " reason, requested_at, expires_at) VALUES (:id, 'rights', :subject, '{}', '{}', '{}', :state, 1,"
                    " 'staff:usr_1', '', :at, :at)"
                ),
                values,
            )
            connection.execute(
                text(
                    "INSERT INTO approval_comments (id, request_id, author, body, written_at)"
                    " VALUES (:id, :id, 'staff:usr_1', 'said', :at)"
                ),
                values,
            )
    with time_machine.travel(datetime(began.year + 4, 1, 1, 12, tzinfo=UTC)):
        forget.run(100)
    states = "SELECT r.state FROM approval_requests r JOIN approval_comments c ON c.request_id = r.id"
    assert _column(states) == ["pending"] and _column("SELECT count(*) FROM approval_comments") == [1]
    hints = "SELECT hint || reason FROM block_entries WHERE merchant_id = :id AND fingerprint IS NOT NULL"
    assert _column(hints, id=tenant.merchant_id) == [""]
