"""The audit: who did what, when, from where, and what was before and after; searched, shown and exported."""

import csv
import io

import pytest
from sqlalchemy import text

from admin.event_search import _BY_STAFF, EVENTS
from app.core.db import ALL, atomic, reading
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.sequence import sequence
from app.core.verify import verify
from app.staff.grant import Given
from tests import factories
from tests.admin.desk import Desk, user


@pytest.fixture
def events(app):
    """events(name): those of that name, the newest first, with their details and positions."""

    def read(name):
        query = text(
            "SELECT e.*, d.body AS details FROM events e LEFT JOIN event_details d ON d.event_id = e.id"
            " WHERE e.name = :name ORDER BY e.id DESC"
        )
        with app.app_context(), reading(ALL) as connection:
            return [dict(row) for row in connection.execute(query, {"name": name}).mappings()]

    return read


@pytest.fixture
def changed(desk, tenant, events):
    """The address of the event of a merchant that was renamed by the administrator."""
    path = f"/admin/merchants/{public_id('mer', tenant.merchant_id)}/change"
    page = desk.open(path)
    name = f"Renamed {uuid7().hex[-6:]}"
    assert desk.send(page, page.own_form, name=name, email="new@merchant.example").status == 200
    return events("merchant.changed")[0], name


def test_an_event_of_staff_says_who_when_from_where_before_and_after(desk, changed):
    event, name = changed
    assert event["actor"].startswith("staff:usr_")
    assert event["data"]["after"]["name"] == name and event["data"]["before"]["name"]
    assert "new@merchant.example" not in str(event["data"]), "addresses of people lie in the details"
    assert event["details"]["after"]["email"] == "new@merchant.example"
    assert event["details"]["ip_address"] == "127.0.0.1"
    assert event["details"]["request_id"].startswith("req_")
    page = desk.open(f"/admin/events/{public_id('evt', event['id'])}")
    for shown in ("Before", "After", name, "new@merchant.example", "127.0.0.1", event["details"]["request_id"]):
        assert shown in page.text, shown


def test_the_id_of_a_request_is_the_one_in_its_answer(desk, tenant, events):
    path = f"/admin/merchants/{public_id('mer', tenant.merchant_id)}/change"
    form = desk.open(path).own_form
    answer = desk.ask(path, "POST", data={**form.fields, "name": f"Again {uuid7().hex[-6:]}"})
    assert events("merchant.changed")[0]["details"]["request_id"] == answer.headers["Request-Id"]


def test_where_and_whom_stay_hidden_from_those_who_keep_no_users(desks, changed):
    event, name = changed
    page = desks("capture_desk").open(f"/admin/events/{public_id('evt', event['id'])}")
    assert name in page.text and "127.0.0.1" not in page.html
    page = desks("accountant").open(f"/admin/events/{public_id('evt', event['id'])}")
    assert "127.0.0.1" in page.text and "new@merchant.example" not in page.html


@pytest.mark.parametrize(
    ("narrowed", "finds"),
    [
        ("by=staff", True),
        ("by=payer", False),
        ("who=admin@example", True),
        ("who=nobody+at+all", False),
        ("name=merchant.", True),
        ("name=shop.", False),
        ("since=2000-01-01&until=2000-01-02", False),
        ("about={merchant}&merchant={merchant}", True),
        ("about=pay_none", False),
        ("by=staff&who=Admin&name=merchant.changed&about={merchant}", True),
    ],
)
def test_it_is_found_by_who_when_what_and_about_what(desk, tenant, changed, narrowed, finds):
    event, _name = changed
    mine = public_id("mer", tenant.merchant_id)
    page = desk.open(f"/admin/events/?mode=test&{narrowed.format(merchant=mine)}")
    assert (public_id("evt", event["id"]) in page.html) is finds


def test_what_a_payment_is_about_are_its_operations_too(desk, made, tenant):
    done = made(factories.captured, tenant, 1_000)
    page = desk.open(f"/admin/events/?mode=test&about={public_id('pay', done.payment['id'])}")
    assert "Payment started" in page.text and "Capture succeeded" in page.text


def test_what_staff_did_is_read_from_its_index(app):
    """With row-level security in force, as the application reads it."""
    query = EVENTS.select().with_only_columns(EVENTS.c.id).where(_BY_STAFF, EVENTS.c.actor == "staff:usr_1")
    with app.app_context(), reading(ALL) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        sql = str(
            query.order_by(EVENTS.c.id.desc()).limit(50).compile(connection, compile_kwargs={"literal_binds": True})
        )
        plan = "\n".join(connection.execute(text(f"EXPLAIN {sql.replace('%%', '%')}")).scalars())
    assert "ix_events_staff" in plan, plan


def test_the_export_holds_the_narrowed_list_and_runs_no_formula(desk, app, tenant, events):
    with app.app_context():
        with atomic(ALL):
            tell(
                "=cmd|' /C calc'!A0",
                subject=("merchant", tenant.merchant_id),
                merchant_id=tenant.merchant_id,
                live=False,
                data={"reason": "+1"},
                actor="@SUM(1)",
            )
        while sequence():
            pass
    mine = public_id("mer", tenant.merchant_id)
    page = desk.open(f"/admin/events/?mode=test&merchant={mine}")
    form = page.form("query")
    answer = desk.ask(form.action, "POST", data=form.fields)
    assert answer.mimetype == "text/csv" and "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert len(rows) >= page.html.count("row-link") > 0
    cells = [cell for row in rows for cell in row.values()]
    assert "'=cmd|' /C calc'!A0" in cells and not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    assert {row["About"] for row in rows} >= {mine}
    assert all(len(row["Seal"]) in (0, 64) for row in rows) and any(row["Seal"] for row in rows)
    assert all(row["Personal data"] == "" for row in rows if row["Event"] == "merchant.added")
    told = events("event.exported")[0]
    assert told["data"]["rows"] == len(rows) and told["data"]["narrowed"] == {"merchant": mine}
    assert told["actor"].startswith("staff:") and told["details"]["ip_address"] == "127.0.0.1"


def test_the_export_says_what_and_from_where_to_whoever_may_see_it(desk, desks, app, tenant, made):
    done = made(factories.authorised, tenant)
    mine = public_id("pay", done.payment["id"])
    desk.open(f"/admin/payments/{mine}")
    for one, shown in ((desk, True), (desks("accountant"), False)):
        page = one.open(f"/admin/events/?mode=test&about={mine}")
        content = one.ask("/admin/events/export", "POST", data=page.form("query").fields).get_data(as_text=True)
        rows = {row["Event"]: row for row in csv.DictReader(io.StringIO(content.removeprefix("\ufeff")))}
        assert ("erika@example.com" in rows["payment.created"]["Personal data"]) is shown
        assert "127.0.0.1" in rows["payment.read"]["From where"]


def test_without_the_right_there_is_no_export(desks):
    page = desks("support").open("/admin/events/?mode=test")
    assert page.status == 200 and "/events/export" not in page.html
    token = page.form("csrf_token").fields["csrf_token"]
    assert desks("support").ask("/admin/events/export", "POST", data={"csrf_token": token}).status_code == 403


def test_somebody_of_one_merchant_sees_and_exports_that_one_alone(app, acquirers, made):
    first, second = made(factories.tenant, acquirers["A"]), made(factories.tenant, acquirers["A"])
    with app.app_context():
        owner = Given("merchant_owner", frozenset({first.merchant_id}))
        address = user(owner, email="owner@first.example", name="Owner")  # type: ignore[arg-type]
    desk = Desk(app.test_client())
    desk.log_in(address)
    page = desk.open("/admin/events/?mode=test")
    content = desk.ask("/admin/events/export", "POST", data=page.form("query").fields).get_data(as_text=True)
    assert public_id("mer", first.merchant_id) in content and public_id("mer", second.merchant_id) not in content


def test_the_chain_is_whole_after_all_of_this(app):
    with app.app_context():
        while sequence():
            pass
        assert verify().broken is None
