"""The dashboard: what its charts and files say is what the payments of the period add up to."""

import base64
import csv
import hashlib
import io
import json
import re

import pytest

from admin.assets import FOLDER
from admin.charts import CHARTS
from app.connectors.kinds import DisputeNews
from app.core.db import ALL, atomic, of
from app.core.ids import public_id
from app.messages.endpoints import add_endpoint, send_test
from app.staff.add import add_user
from app.staff.grant import Given
from tests import factories
from tests.admin.desk import PASSWORD, Desk, user
from tests.admin.waiting import waiting
from tests.figures.history import DAY, HOUR, MONDAY, at, captured, refunded, rolled

JUNE = "since=2026-06-15&until=2026-06-17&mode=test"


@pytest.fixture(scope="module")
def june(app, acquirers):
    """A merchant's Monday to Wednesday: two captures, a refund, a chargeback, three declines, and yen beside euros."""
    with app.app_context():
        shop = factories.tenant(acquirers["A"])
        first = at(MONDAY, factories.authorised, shop, 10_000)
        at(MONDAY + HOUR, captured, shop, first, 6_000)
        at(MONDAY + DAY, captured, shop, first, 4_000)
        at(MONDAY + DAY, refunded, shop, first, 2_550)
        at(MONDAY, factories.authorised, shop, 500, currency="JPY")
        for card in ("insufficient_funds", "insufficient_funds", "do_not_honour"):
            at(MONDAY + DAY, factories.authorised, shop, card=factories.card(card))
        second = at(MONDAY, factories.captured, shop, 4_000)
        reference = factories.authorisation_of(second)["provider_reference"]
        about = {"authorisation_reference": reference, "reference": reference}
        turn = DisputeNews("charged_back", "dispute-of-june", "fraudulent")
        at(MONDAY + 2 * DAY, factories.hear, shop, second, "dispute", "approved", 4_000, **about, dispute=turn)
        while rolled().events:
            pass
    return shop


@pytest.fixture
def page(desk, june):
    """The dashboard of that merchant and period; `more` is added to its address."""

    def show(more: str = "", who: Desk = desk):
        found = who.open(f"/admin/figures/?{JUNE}&merchant={public_id('mer', june.merchant_id)}{more}")
        assert found.status == 200
        return found

    return show


@pytest.fixture
def table(desk, june):
    """A chart's file as rows of cells, in the language of the desk."""

    def read(name: str, more: str = "", who: Desk = desk, delimiter: str = ","):
        address = f"/admin/figures/{name}.csv?{JUNE}&merchant={public_id('mer', june.merchant_id)}{more}"
        answer = who.ask(address)
        assert answer.status_code == 200 and answer.mimetype == "text/csv"
        return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig")), delimiter=delimiter))

    return read


def test_volume_is_what_was_captured_and_authorised_each_day(table):
    assert table("volume") == [
        ["When", "Captured (EUR)", "Captures", "Authorised (EUR)", "Authorisations"],
        ["2026-06-15", "100.00", "2", "140.00", "2"],
        ["2026-06-16", "40.00", "1", "0.00", "0"],
        ["2026-06-17", "0.00", "0", "0.00", "0"],
    ]


def test_amounts_of_another_currency_are_never_added(table, page):
    assert table("volume", "&currency=JPY")[1] == ["2026-06-15", "0", "0", "500", "1"]
    text = page().text
    assert "Amounts in EUR · also JPY" in text and "€140.00" in text


def test_the_approval_rate_leaves_out_what_nobody_tried(table):
    assert table("approval")[1:] == [
        ["2026-06-15", "100.0", "3", "0"],
        ["2026-06-16", "0.0", "0", "3"],
        ["2026-06-17", "", "0", "0"],
    ]


@pytest.mark.parametrize(("chart", "label"), [("acquirers", "Acquirer A"), ("methods", "Card")])
def test_attempts_are_counted_by_acquirer_and_method(table, chart, label):
    [row] = table(chart)[1:]
    assert row == [label, "50.0", "3", "3", "0", "0"]


def test_attempts_are_counted_by_country(table):
    rows = table("countries")[1:]
    assert [sum(int(row[place]) for row in rows) for place in (2, 3)] == [3, 3]
    assert all(row[0] for row in rows)


def test_declines_are_told_by_their_reasons(table):
    assert table("declines")[1:] == [
        ["Not enough money on the account", "2", "66.7"],
        ["Declined by the bank without a reason", "1", "33.3"],
    ]


def test_refunds_and_chargebacks_stand_in_their_days(table):
    assert table("refunds")[2] == ["2026-06-16", "25.50", "1"]
    assert table("chargebacks")[3] == ["2026-06-17", "40.00", "1", "0.00", "0"]


def test_the_page_says_the_same_as_the_files(page):
    text = page().text
    assert re.search(r"Captured €140\.00", text) and "50.0%" in text
    assert re.search(r"Refunded €25\.50 18\.2% of what was captured", text)
    assert re.search(r"Charged back €40\.00 28\.6% of what was captured", text)
    assert "Not enough money on the account 2 66.7%" in text
    html = page().html
    assert 'data-value="100.00"' in html and "15 Jun 2026" in html, "the table behind the picture"


def test_the_page_speaks_german_and_its_files_too(app, page, table):
    with app.app_context():
        user("admin", email="deutsch@example.com", language="de")
    german = Desk(app.test_client())
    german.log_in("deutsch@example.com")
    text = page(who=german).text
    assert "Kennzahlen" in text and "140,00 €" in text and "Zusagequote nach Acquirer" in text and "50,0 %" in text
    rows = table("volume", who=german, delimiter=";")
    assert rows[0][:2] == ["Wann", "Eingezogen (EUR)"] and rows[1][:2] == ["2026-06-15", "100,00"]
    answer = german.ask(f"/admin/figures/volume.csv?{JUNE}")
    assert answer.get_data().startswith(b"\xef\xbb\xbf")
    assert 'filename="zahlwerk-volume-2026-06-15-2026-06-17.csv"' in answer.headers["Content-Disposition"]


def test_a_number_leads_to_the_payments_behind_it(desk, page):
    link = re.search(r'href="(/admin/payments/\?since=2026-06-16[^"]*)"', page().html)
    assert link
    assert desk.open(link[1].replace("&amp;", "&")).status == 200
    tile = re.search(r'<a class="tile" href="([^"]+)"><p class="what">Refunded', page().html)
    assert tile
    found = desk.open(tile[1].replace("&amp;", "&"))
    assert "Partly refunded" in found.text


def test_a_period_of_a_day_has_hours_and_one_of_a_year_has_months(desk, june):
    merchant = public_id("mer", june.merchant_id)

    def file(since, until):
        answer = desk.ask(f"/admin/figures/volume.csv?since={since}&until={until}&merchant={merchant}&mode=test")
        return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))[1:]

    hours, months = file("2026-06-15", "2026-06-15"), file("2025-12-01", "2026-06-30")
    assert len(hours) == 24 and hours[15][:2] == ["2026-06-15 15:00", "60.00"]
    assert [row[0] for row in months] == ["2025-12", *(f"2026-0{month}" for month in range(1, 7))]
    assert months[-1] == ["2026-06", "140.00", "3", "140.00", "2"]


@pytest.mark.parametrize(
    ("period", "says"),
    [
        ("since=2026-02-01&until=2026-01-01", "The first day comes after the last."),
        ("since=2001-01-01&until=2026-01-01", "Ten years at most."),
        ("since=tomorrow", "This is not a date."),
        ("since=0001-01-01&until=0001-01-02", "This is not a date."),
        ("since=9999-12-30&until=9999-12-31", "This is not a date."),
    ],
)
def test_a_period_that_is_none_is_refused_and_the_usual_one_shown(desk, period, says):
    page = desk.open(f"/admin/figures/?{period}")
    assert page.status == 200 and says in page.text and 'aria-current="true">30 days' in page.html


def test_live_figures_are_not_those_of_the_test_mode(desk, june):
    page = desk.open("/admin/figures/?since=2026-06-15&until=2026-06-17&mode=live")
    assert "€140.00" not in page.text and "Nothing in this period." in page.text
    desk.open("/admin/?mode=test")


def test_a_scoped_user_sees_the_figures_of_their_merchants_only(app, june, acquirers):
    with app.app_context():
        other = factories.tenant(acquirers["A"])
        at(MONDAY, factories.captured, other, 7_777)
        while rolled().events:
            pass
        with atomic(ALL) as connection:
            scoped = Given("operator", frozenset({other.merchant_id}))
            add_user(
                connection, email="scoped@example.com", password=PASSWORD, roles=[scoped], language="en", actor="t"
            )
    desk = Desk(app.test_client())
    desk.log_in("scoped@example.com")
    page = desk.open(f"/admin/figures/?{JUNE}")
    assert "€77.77" in page.text and "€140.00" not in page.text and "€217.77" not in page.text
    foreign = desk.ask(f"/admin/figures/volume.csv?{JUNE}&merchant={public_id('mer', june.merchant_id)}")
    assert "100.00" not in foreign.get_data(as_text=True)


def test_who_may_not_see_queues_sees_no_chart_of_them(desks, page):
    assert "Queue depth" in page().text
    supported = page(who=desks("support"))
    assert ("Queue depth" in supported.text) == ("/admin/jobs/" in supported.html)
    without = [name for name in CHARTS if CHARTS[name].PERMISSION == "job.read"]
    status = desks("support").ask(f"/admin/figures/{without[0]}.csv?{JUNE}").status_code
    assert status == (200 if "/admin/jobs/" in supported.html else 403)


def test_a_chart_that_is_none_is_not_found(desk):
    assert desk.open("/admin/figures/nonsense.csv").status == 404


def test_failing_deliveries_and_open_approvals_are_those_of_now(app, desk, acquirers):
    with app.app_context():
        shop = factories.tenant(acquirers["A"])
        waiting(shop)
        with atomic(of(shop.merchant_id, False)) as connection:
            endpoint_id, _ = add_endpoint(
                connection, merchant_id=shop.merchant_id, live=False, url="http://127.0.0.1:9/figures", actor="test"
            )
            delivery_id = send_test(connection, endpoint_id=endpoint_id, actor="test")
            connection.exec_driver_sql(
                "UPDATE deliveries SET state = 'failed', attempts = 4 WHERE id = %s", (delivery_id,)
            )
    text = desk.open(f"/admin/figures/?mode=test&merchant={public_id('mer', shop.merchant_id)}").text
    assert re.search(r"http://127\.0\.0\.1:9/figures Merchant \d+ 1 ", text)
    assert re.search(r"Open approvals .* Refund the oldest for .*? 1 ", text)


@pytest.mark.parametrize("inventory", sorted(FOLDER.glob("*/inventory.json")), ids=lambda path: path.parent.name)
def test_files_of_others_are_what_their_inventory_says(desk, inventory):
    listed = json.loads(inventory.read_text())["files"]
    present = {path.name for path in inventory.parent.iterdir()} - {"inventory.json", "LICENSE"}
    assert set(listed) == present
    html = desk.open("/admin/figures/").html
    for name, pinned in listed.items():
        digest = base64.b64encode(hashlib.sha384((inventory.parent / name).read_bytes()).digest()).decode()
        assert pinned == f"sha384-{digest}" and f'integrity="{pinned}"' in html
