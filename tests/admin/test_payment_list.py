"""The list of payments as a tool: columns, filters that are kept, exports, and payments chosen for a batch."""

import csv
import io
import zipfile

import pytest
from sqlalchemy import text

from app.connectors.kinds import Payer
from app.core.db import ALL, reading
from app.core.ids import public_id
from tests import factories
from tests.admin.desk import Desk, user


@pytest.fixture(scope="module")
def shop(app, acquirers):
    """A merchant of this module's own, with three payments."""
    with app.app_context():
        shop = factories.tenant(acquirers["A"])
        for number in range(1, 4):
            factories.authorised(shop, 1_000 * number, merchant_reference=f"list-{number}", order_number=f"O-{number}")
    return shop


@pytest.fixture
def listed(desk, shop):
    """The list of this merchant's payments."""
    return lambda more="": desk.open(f"/admin/payments/?mode=test&merchant={public_id('mer', shop.merchant_id)}{more}")


@pytest.fixture
def desk_of(app):
    """Somebody new with that role, logged in."""
    made = []

    def seat(role, name):
        with app.app_context():
            address = user(role, email=f"{name}-{len(made)}@list.example", name=name)
        made.append(address)
        desk = Desk(app.test_client())
        desk.log_in(address)
        return desk

    return seat


def told(name):
    with reading(ALL) as connection:
        query = text("SELECT data, actor FROM events WHERE name = :name ORDER BY id DESC LIMIT 1")
        return connection.execute(query, {"name": name}).mappings().first()


def test_columns_are_chosen_and_stay_chosen(app, listed, desk, shop):
    page = listed()
    form = page.form_to("/admin/payments/columns")
    assert "O-2" not in page.text and "list-2" in page.text
    chosen = desk.send(page, form, column=["order_number", "open", "shop", "id", "nonsense"])
    assert "Order number" in chosen.text and "O-2" in chosen.text and "list-2" not in chosen.text
    assert "€20.00" in chosen.text and f"merchant={public_id('mer', shop.merchant_id)}" in chosen.path
    assert "O-2" in listed("&sort=oldest").text
    with app.app_context():
        assert told("columns.chosen")["data"]["columns"] == ["shop", "order_number", "open", "id"]
    again = desk.send(listed(), form, shipped="1", column=None)
    assert "O-2" not in again.text and "list-2" in again.text


def test_a_filter_is_kept_shared_renamed_and_removed(app, desk_of, shop):
    anna, bert = desk_of("support", "Anna"), desk_of("support", "Bert")
    mer = public_id("mer", shop.merchant_id)
    page = anna.open(f"/admin/payments/?mode=test&merchant={mer}&least=15&currency=EUR&after=pay_x&evil=1")
    kept = anna.send(page, page.form("name", "query"), name="Large ones", shared="y")
    assert kept.notes == ["The filter is kept as “Large ones”."]
    assert kept.path == f"/admin/payments/?merchant={mer}&least=15&currency=EUR"
    assert "list-2" in kept.text and "list-1" not in kept.text
    assert "Large ones" in anna.open("/admin/payments/").text
    of_bert = bert.open("/admin/payments/")
    assert "Large ones" in of_bert.text and f"?merchant={mer}&amp;least=15" in of_bert.html
    manage = bert.open("/admin/payments/filters")
    assert "shared by Anna" in manage.text and "/remove" not in manage.html, "they are Anna's to change"
    manage = anna.open("/admin/payments/filters")
    renamed = anna.send(manage, manage.form_to("/change"), name="Very large ones", shared=None)
    assert "Very large ones" in renamed.html and "Large ones" not in bert.open("/admin/payments/").text
    gone = anna.send(renamed, renamed.form_to("/remove"))
    assert "No filter is kept yet" in gone.text
    with app.app_context():
        assert told("filter.removed")["actor"].startswith("staff:usr_")


def test_a_name_that_is_taken_is_said_at_the_field(desk_of):
    desk = desk_of("support", "Carla")
    for _attempt in range(2):
        page = desk.open("/admin/payments/?status=failed")
        page = desk.send(page, page.form("name", "query"), name="Failed")
    assert page.errors == ["You have a filter of this name already. Choose another name, or remove the other one."]
    assert page.form("name", "query").fields["query"] == "status=failed", "what was to be kept is still there"


def test_a_small_export_comes_at_once(app, listed, desk):
    page = listed("&sort=oldest")
    answer = desk.client.post("/admin/exports/ask", data=page.form_to("/exports/ask").fields | {"form": "csv"})
    assert answer.status_code == 303
    file = desk.client.get(answer.headers["Location"])
    assert file.headers["Content-Disposition"].startswith("attachment; filename=payments-")
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8" and file.headers["Cache-Control"] == "no-store"
    lines = list(csv.DictReader(io.StringIO(file.data.decode("utf-8-sig"))))
    assert [line["Reference"] for line in lines] == ["list-1", "list-2", "list-3"]
    with app.app_context():
        assert told("export.downloaded")["data"]["rows"] == 3
    assert "Download" in desk.open("/admin/exports/").text


def test_an_export_of_what_the_list_shows_has_its_columns(listed, desk):
    fields = listed().form_to("/exports/ask").fields | {"form": "xlsx", "columns": "listed"}
    file = desk.client.get(desk.client.post("/admin/exports/ask", data=fields).headers["Location"])
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "list-3" in sheet and "Order number" not in sheet and "erika@example.com" in sheet


def test_a_large_export_is_left_to_the_job(listed, desk, monkeypatch):
    from admin.screens import exports

    monkeypatch.setattr(exports, "SMALL", 1)
    page = desk.send(listed(), listed().form_to("/exports/ask"))
    assert page.path == "/admin/exports/" and "Running" in page.text
    assert 'data-refresh="2"' in page.html


def test_nobody_else_gets_the_file(listed, desk, desks):
    answer = desk.client.post("/admin/exports/ask", data=listed().form_to("/exports/ask").fields)
    for other, status in (("supervisor", 404), ("support", 403)):
        assert desks(other).ask(answer.headers["Location"]).status_code == status


def test_who_may_not_export_is_not_offered_it(desks, listed):
    assert "Make the file" in listed().text
    assert "Make the file" not in desks("support").open("/admin/payments/?mode=test").text


def test_who_may_not_capture_chooses_nothing(desks, listed):
    assert "All of this filter" in listed().text
    of_accountant = desks("accountant").open("/admin/payments/?mode=test")
    assert "list-1" in of_accountant.text
    assert 'name="every"' not in of_accountant.html and 'name="payment"' not in of_accountant.html


def test_a_file_of_a_filter_that_cannot_be_kept_to_is_refused(desk, listed):
    form = listed().form_to("/exports/ask")
    for wrong in ("least=abc&since=2026-13-45", "merchant=mer_x", "customer=nonsense"):
        page = desk.send(listed(), form, query=f"{wrong}&status=authorised")
        assert page.path.startswith("/admin/payments/?") and "status=authorised" in page.path
        assert page.notes[0].startswith("A filter cannot be kept to: ")


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1999-12-31", "2101-01-01", "2026-13-45", "x"])
def test_a_day_that_is_none_is_said_and_lists_nothing(desk, listed, day):
    for name in ("since", "until"):
        for path in (f"/admin/payments/?mode=test&{name}={day}", f"/admin/events/?{name}={day}"):
            page = desk.open(path)
            assert page.status == 200 and "This is not a date." in page.text
            assert 'class="row-link"' not in page.html


def test_payments_of_one_payer_are_listed_by_their_address_for_who_may_see_it(app, desk, desks, listed, shop):
    with app.app_context():
        payer = Payer(name="Zoe Zwanzig", email="Zoe@Guest.example")
        mine = factories.authorised(shop, 700, merchant_reference="of-zoe", payer=payer)
    page = desk.open(f"/admin/payments/{public_id('pay', mine.payment['id'])}?mode=test")
    assert 'href="/admin/payments/?email=Zoe@Guest.example"' in page.html.replace("%40", "@")
    found = listed("&email=zoe@guest.example")
    assert "of-zoe" in found.text and "list-2" not in found.text and "E-mail: zoe@guest.example" in found.text
    of_accountant = desks("accountant").open("/admin/payments/?mode=test&email=zoe@guest.example")
    assert "of-zoe" not in of_accountant.text and "not for you to see" in of_accountant.text
    assert "E-mail" not in desks("accountant").open("/admin/payments/?mode=test").text.partition("Saved filters")[0]
    kept = desk.send(found, found.form("name", "query"), name="Zoe")
    assert kept.notes[0].startswith("A filter with somebody’s e-mail address is not kept.")
    file = desk.client.get(desk.client.post("/admin/exports/ask", data=found.form_to("/exports/ask").fields).location)
    assert "of-zoe" in file.text and "list-2" not in file.text
    with app.app_context():
        assert "email" in told("export.asked")["data"]["filter"] and "guest.example" not in str(told("export.asked"))
        assert "guest.example" not in str(told("export.made"))
