"""Seeing a payer's name or address is an event; without the right nobody sees one, on no screen."""

import re

import pytest
import redis
from sqlalchemy import text

from admin import reads
from app.core import queue
from app.core.db import ALL, reading
from app.core.ids import public_id, uuid7
from tests import factories
from tests.admin import screens_to_see

PERSONAL = re.compile(r"Erika|Muster\b|erika@example\.com|Musterweg", re.IGNORECASE)


@pytest.fixture(scope="module")
def pages(app, acquirers):
    with app.app_context():
        return screens_to_see.pages(acquirers)


@pytest.fixture(autouse=True)
def _nothing_was_seen_lately():
    for kind in ("read", "refused"):
        for key in queue.connection().scan_iter(f"zahlwerk:{kind}:*"):
            queue.connection().delete(key)


@pytest.fixture
def told(app):
    """told(): (name, data, details) of the reads, in order; and they are forgotten by the next call."""
    seen = []

    def read():
        query = text(
            "SELECT e.id, e.name, e.data, e.actor, d.body FROM events e LEFT JOIN event_details d ON d.event_id = e.id"
            " WHERE e.name ~ '(read|listed)$' AND e.name ~ '^(payment|customer)' AND e.id <> ALL (:seen) ORDER BY e.id"
        )
        with app.app_context(), reading(ALL) as connection:
            rows = connection.execute(query, {"seen": seen}).all()
        seen.extend(row.id for row in rows)
        return [(row.name, row.data, row.body) for row in rows]

    read()
    return read


def test_without_the_right_no_screen_shows_whom_it_is_about(desks, pages):
    for role in ("accountant", "merchant_viewer"):
        desk, shown = desks(role), {}
        for name, path in pages.items():
            page = desk.open(f"/admin/{path}")
            html = page.html.replace("search/?q=erika", "").replace('value="erika"', "").replace("“erika”", "")
            found = PERSONAL.findall(html) if page.status == 200 else []
            if found:
                shown[name] = found
        assert shown == {}


def test_with_it_they_are_shown_and_reading_a_page_is_told_once(desks, pages, told):
    desk = desks("support")
    told()  # what they saw when they logged in
    for _ in range(2):
        assert "erika@example.com" in desk.open(f"/admin/{pages['payment_open']}").text
    [(name, data, details)] = told()
    assert name == "payment.read"
    assert data == {"payment": pages["payment_open"].removeprefix("payments/"), "page": "payments.detail"}
    assert details["ip_address"] == "127.0.0.1" and details["request_id"].startswith("req_")


def test_a_list_tells_whose_names_stood_on_it_and_only_new_ones_again(app, desks, pages, told, made, acquirers):
    desk, path = desks("support"), "/admin/payments/?mode=test"
    desk.open(path)
    [(name, data, _details)] = told()
    assert name == "payment.listed" and data["page"] == "payments.index"
    assert data["count"] == len(data["payments"]) == len(set(data["payments"])) > 3
    done = made(factories.authorised, made(factories.tenant, acquirers["A"]))
    desk.open(path)
    [(_name, data, _details)] = told()
    assert data["payments"] == [public_id("pay", done.payment["id"])]
    desk.open(path)
    assert told() == []


@pytest.mark.parametrize("name", ["dispute", "customer", "search", "reviews", "disputes", "customers", "start"])
def test_every_page_that_shows_somebody_tells_it(desks, pages, told, name):
    desk = desks("supervisor")
    desk.open("/admin/?mode=test")
    told()
    for key in queue.connection().scan_iter("zahlwerk:read:*"):
        queue.connection().delete(key)
    page = desk.open(f"/admin/{pages[name]}")
    assert PERSONAL.search(page.html), "it shows somebody"
    assert told() != []


def test_a_refused_page_is_told_once_in_a_while(app, desks):
    desk, began = desks("accountant"), uuid7()
    for _ in range(2):
        assert desk.ask("/admin/users/?mode=test").status_code == 403
    with app.app_context(), reading(ALL) as connection:
        query = text(
            "SELECT e.data, d.body FROM events e JOIN event_details d ON d.event_id = e.id"
            " WHERE e.name = 'access.refused' AND e.id > :began"
        )
        [(data, details)] = connection.execute(query, {"began": began}).all()
    assert data == {"page": "users.index", "method": "GET", "permission": "user.read"}
    assert details["ip_address"] == "127.0.0.1"


def test_who_may_not_see_them_reads_nothing(desks, pages, told):
    desks("accountant").open(f"/admin/{pages['payment_open']}")
    assert told() == []


def test_an_event_that_cannot_be_written_costs_nobody_the_page(desks, pages, told, monkeypatch, capsys):
    def broken(*_arguments, **_more):
        raise RuntimeError("no room left")

    with monkeypatch.context() as away:
        away.setattr(reads, "tell", broken)
        page = desks("support").open(f"/admin/{pages['payment_captured']}")
    assert page.status == 200 and "erika@example.com" in page.text
    line = next(line for line in capsys.readouterr().err.splitlines() if "read_not_told" in line)
    assert pages["payment_captured"].removeprefix("payments/") in line and "RuntimeError" in line
    assert told() == []
    desks("support").open(f"/admin/{pages['payment_captured']}")
    assert len(told()) == 1, "what was not told is told the next time"


def test_without_redis_it_is_rather_told_twice_than_never(desks, pages, told, monkeypatch):
    def away(*_arguments, **_more):
        raise redis.ConnectionError

    desk = desks("support")
    monkeypatch.setattr(type(queue.connection()), "pipeline", away)
    for _ in range(2):
        assert desk.open(f"/admin/{pages['payment_open']}").status == 200
    assert [name for name, *_ in told()] == ["payment.read", "payment.read"]


def test_the_raw_data_of_a_payment_name_nobody(desks, pages):
    raw = desks("support").open(f"/admin/{pages['payment_open']}").html.partition("<pre")[2].partition("</pre>")[0]
    assert "merchant_reference" in raw and not PERSONAL.search(raw)
