"""Four eyes on the screens: asked, decided by somebody else, refused to the maker, out of date."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from app.approvals.rules import add_rule, remove_rule
from app.core.db import ALL, atomic, reading
from app.core.ids import public_id, uuid7
from app.core.limits import Limit
from app.payments.refund import refund
from app.staff.add import add_user
from app.staff.grant import Given
from tests import factories
from tests.admin.desk import PASSWORD, Desk

LIMITS = {"payment.refund": {"EUR": Limit(50_00)}}


@pytest.fixture(scope="module")
def seats(app):
    """maker: refunds up to 50 EUR alone; checker and other: supervisors."""
    seated = {}
    for name, given in (
        ("maker", Given("operator", None, LIMITS)),
        ("checker", Given("supervisor")),
        ("other", Given("supervisor")),
    ):
        with app.app_context(), atomic(ALL) as connection:
            add_user(
                connection,
                email=f"{name}@example.com",
                password=PASSWORD,
                roles=[given],
                name=name.title(),
                language="en",
                actor="test",
            )
        seated[name] = Desk(app.test_client())
        assert seated[name].log_in(f"{name}@example.com").status == 200
    return seated


def ask_refund(seat, done, amount="120,00"):
    """Types the amount, sees what it means, asks."""
    page = seat.open(f"/admin/payments/{public_id('pay', done.payment['id'])}/refund")
    checked = seat.send(page, page.form("amount"), amount=amount, reason="broken")
    return checked, seat.send(checked, checked.form("amount"), amount=amount, reason="broken")


def open_work(seat):
    """What the start page names first: what waits for whoever is logged in."""
    return seat.open("/admin/").html.partition('class="tiles"')[2].partition("<h2")[0]


def to(form, address):
    """The same form, sent somewhere else."""
    return replace(form, action=address)


def request_of(app, done):
    with app.app_context(), reading(ALL) as connection:
        query = text("SELECT id, state FROM approval_requests WHERE payment_id = :id ORDER BY id DESC LIMIT 1")
        row = connection.execute(query, {"id": done.payment["id"]}).one()
    return f"/admin/approvals/{public_id('apr', row.id)}", row.state


def test_a_refund_over_the_limit_is_asked_for_approved_by_another_and_done(app, made, tenant, seats):
    done = made(factories.captured, tenant, 200_00)
    checked, asked = ask_refund(seats["maker"], done)
    assert "That is more than the €50.00 that may be done alone." in checked.text
    assert "Ask for approval" in checked.text
    assert asked.notes == ["Asked for. €120.00 is kept aside until somebody else has decided."]
    address, _ = request_of(app, done)
    inbox = seats["checker"].open("/admin/approvals/")
    assert "Refund €120.00" in inbox.text
    assert "Requests for approval" in open_work(seats["checker"])
    assert "Requests for approval" not in open_work(seats["maker"])
    page = seats["checker"].open(address)
    after = seats["checker"].send(page, page.form("note"), note="seen")
    assert after.notes == ["Approved and done."]
    assert made(factories.fresh, done)["refunded"] == 120_00
    assert "Approved and done" in seats["maker"].open("/admin/approvals/?view=mine").text


def test_the_maker_is_not_offered_to_approve_and_is_refused_if_they_try(app, made, tenant, seats):
    done = made(factories.captured, tenant, 200_00)
    ask_refund(seats["maker"], done)
    address, _ = request_of(app, done)
    page = seats["maker"].open(address)
    assert "You asked for this yourself" in page.text
    assert f"{address}/approve" not in page.html
    assert seats["maker"].send(page, to(page.form_to("/take-back"), f"{address}/approve")).status == 403
    checker_page = seats["checker"].open(address)
    assert f"{address}/approve" in checker_page.html
    assert made(factories.fresh, done)["refunded"] == 0


def test_a_supervisor_does_not_approve_their_own(app, made, tenant, seats):
    with app.app_context(), atomic(ALL) as connection:
        rule_id = add_rule(connection, actor="test", merchant_id=tenant.merchant_id, action="refund")
    done = made(factories.captured, tenant, 200_00)
    ask_refund(seats["checker"], done)
    address, _ = request_of(app, done)
    page = seats["checker"].open(address)
    tried = seats["checker"].send(page, to(page.form_to("/take-back"), f"{address}/approve"), note="mine")
    assert tried.notes == ["You asked for this yourself; somebody else has to decide."]
    assert request_of(app, done)[1] == "pending"
    with app.app_context(), atomic(ALL) as connection:
        remove_rule(connection, rule_id, actor="test")


def test_what_changed_meanwhile_is_closed_and_said(app, made, tenant, seats):
    done = made(factories.captured, tenant, 200_00)
    ask_refund(seats["maker"], done)
    address, _ = request_of(app, done)
    page = seats["checker"].open(address)
    made(refund, merchant_id=tenant.merchant_id, live=False, payment_id=done.payment["id"], amount=1_00, actor="key:x")
    after = seats["checker"].send(page, page.form("note"))
    assert after.notes[0].startswith("What was asked about has changed since.")
    assert request_of(app, done)[1] == "stale"
    assert made(factories.fresh, done)["refund_pending"] == 0


def test_a_rejection_needs_its_reason(app, made, tenant, seats):
    done = made(factories.captured, tenant, 200_00)
    ask_refund(seats["maker"], done)
    address, _ = request_of(app, done)
    page = seats["checker"].open(address)
    form = page.form("note")
    assert seats["checker"].send(page, to(form, f"{address}/reject")).errors == ["This is needed."]
    after = seats["checker"].send(page, to(form, f"{address}/reject"), note="no parcel")
    assert after.notes == ["Rejected. Nothing was sent, and what was kept aside is free again."]
    assert "no parcel" in after.text


def test_comments_are_kept_with_their_author(app, made, tenant, seats):
    done = made(factories.captured, tenant, 200_00)
    ask_refund(seats["maker"], done)
    address, _ = request_of(app, done)
    page = seats["checker"].open(address)
    after = seats["checker"].send(page, page.form("body"), body="Which parcel?")
    assert "Checker" in after.text and "Which parcel?" in after.text


@pytest.fixture(scope="module")
def admins(app):
    seated = []
    for name in ("ada", "bob"):
        with app.app_context(), atomic(ALL) as connection:
            email = f"{name}.{uuid7().hex[-6:]}@example.com"
            add_user(
                connection, email=email, password=PASSWORD, roles=["admin"], language="en", name=name, actor="test"
            )
        desk = Desk(app.test_client())
        desk.log_in(email)
        seated.append(desk)
    return seated


class TestOtherThings:
    @pytest.fixture
    def rule(self, app):
        made = []

        def add(action):
            with app.app_context(), atomic(ALL) as connection:
                made.append(add_rule(connection, actor="test", merchant_id=None, action=action))

        yield add
        with app.app_context(), atomic(ALL) as connection:
            for rule_id in made:
                remove_rule(connection, rule_id, actor="test")

    def latest(self, app):
        with app.app_context(), reading(ALL) as connection:
            query = text("SELECT id FROM approval_requests ORDER BY id DESC LIMIT 1")
            return f"/admin/approvals/{public_id('apr', connection.execute(query).scalar_one())}"

    def test_a_key_is_issued_once_approved_and_its_secret_is_for_the_maker(self, app, tenant, rule, admins):
        rule("api_key")
        ada, bob = admins
        page = ada.open(f"/admin/keys/issue?merchant={public_id('mer', tenant.merchant_id)}")
        asked = ada.send(page, page.form("name"), name="Kasse", permissions=["payment.read"])
        assert asked.path.startswith("/admin/approvals/?view=mine")
        address = self.latest(app)
        page = bob.open(address)
        assert "Kasse" in page.text
        bob.send(page, page.form("note"))
        assert "Show it now" not in bob.open(address).text
        mine = ada.open(address)
        shown = ada.send(mine, mine.form_to("/secret"))
        assert "sk_test_" in shown.html
        again = ada.send(mine, mine.form_to("/secret"))
        assert "sk_test_" not in again.html

    def test_rights_change_once_approved(self, app, rule, admins):
        rule("rights")
        ada, bob = admins
        with app.app_context(), atomic(ALL) as connection:
            user_id = add_user(
                connection, email="new@example.com", password=PASSWORD, roles=["support"], name="New", actor="test"
            )
        page = ada.open(f"/admin/users/{public_id('usr', user_id)}/grants/0/change")
        ada.send(page, page.form("role"), role="operator")
        assert "Support" in ada.open(f"/admin/users/{public_id('usr', user_id)}").text
        page = bob.open(self.latest(app))
        assert bob.send(page, page.form("note")).notes == ["Approved and done."]
        assert "Operator" in ada.open(f"/admin/users/{public_id('usr', user_id)}").text

    def test_an_endpoint_is_added_once_approved(self, app, tenant, rule, admins):
        rule("endpoint")
        ada, bob = admins
        page = ada.open(f"/admin/endpoints/add?merchant={public_id('mer', tenant.merchant_id)}")
        ada.send(page, page.form("url"), url="https://approved.example.com/in")
        assert "approved.example.com" not in ada.open("/admin/endpoints/").text
        page = bob.open(self.latest(app))
        bob.send(page, page.form("note"))
        assert "approved.example.com" in ada.open("/admin/endpoints/").text

    def test_the_outcome_of_an_operation_is_recorded_by_two(self, app, made, tenant, acquirers, admins):
        ada, bob = admins
        done = made(factories.captured, tenant, 80_00)
        acquirers["A"].control(next="garbled")
        whose = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
        silent = made(refund, **whose, payment_id=done.payment["id"], amount=30_00)
        operation = public_id("op", silent.operation["id"])
        page = ada.open(f"/admin/unknown/{operation}/correct")
        ada.send(page, page.form("reason"), outcome="succeeded", reason="seen in the portal, R-77")
        assert made(factories.fresh, done)["refunded"] == 0
        page = bob.open(self.latest(app))
        assert bob.send(page, page.form("note")).notes == ["Approved and done."]
        payment = made(factories.fresh, done)
        assert (payment["refunded"], payment["refund_pending"]) == (30_00, 0)


def test_rules_are_made_and_removed_on_the_screen(desk, tenant):
    page = desk.open("/admin/approval-rules/add")
    merchant = public_id("mer", tenant.merchant_id)
    after = desk.send(page, page.form("action"), action="cancel", merchant=merchant, above="1.000,00", currency="EUR")
    assert after.notes == ["The rule holds from now on."]
    assert "€1,000.00" in after.text
    removed = desk.send(after, after.form_to("/remove"))
    assert removed.notes == ["Asked for. It is done as soon as somebody else has approved it."]
    wrong = desk.send(page, page.form("action"), action="cancel", merchant=merchant, above="much")
    assert len(wrong.errors) == 1
