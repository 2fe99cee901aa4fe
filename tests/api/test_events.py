"""Events through the API: in committed order, without gaps, only the merchant's own public ones."""

import pytest

from app.api.events import Event, Events
from app.core.sequence import sequence
from tests import factories
from tests.api.conftest import Api, error_of, fits


@pytest.fixture
def api(app, acquirers):
    """A merchant of this test's own: nothing else has happened to it."""
    with app.app_context():
        tenant = factories.tenant(acquirers["A"])
    return Api(app, tenant, tenant.key)


def ordered(app) -> None:
    with app.app_context():
        while sequence():
            pass


def test_what_happened_to_a_payment_is_told_in_order(api, app):
    payment = api.pay(capture="automatic")
    ordered(app)
    page = fits(Events, api.get("/events"))
    assert [event["type"] for event in page["data"]] == [
        "payment.created",
        "authorisation.succeeded",
        "capture.succeeded",
    ]
    last = page["data"][-1]
    assert last["data"]["payment"]["id"] == payment["id"]
    assert last["data"]["payment"]["captured"] == 10_000
    assert fits(Event, api.get(f"/events/{last['id']}")) == last


def test_a_reader_goes_on_where_it_stopped(api, app):
    for _ in range(3):
        api.pay()
    ordered(app)
    everything = api.get("/events").get_json()["data"]
    first = api.get("/events?limit=4").get_json()
    assert first["next"] == first["data"][-1]["id"] == everything[3]["id"]
    rest = api.get(f"/events?after={first['next']}").get_json()
    assert first["data"] + rest["data"] == everything
    assert rest["next"] is None
    assert api.get(f"/events?after={everything[-1]['id']}").get_json() == {"data": [], "next": None}
    api.pay()
    ordered(app)
    assert len(api.get(f"/events?after={everything[-1]['id']}").get_json()["data"]) == 2


def test_what_is_not_in_order_yet_is_not_shown(api):
    api.pay()
    assert api.get("/events").get_json()["data"] == []


def test_they_can_be_filtered(api, app):
    first, second = api.pay(), api.pay()
    ordered(app)
    of_first = api.get(f"/events?payment={first['id']}").get_json()["data"]
    assert {event["data"]["payment"]["id"] for event in of_first} == {first["id"]}
    created = api.get("/events?type=payment.created").get_json()["data"]
    assert [event["data"]["payment"]["id"] for event in created] == [first["id"], second["id"]]


def test_internal_and_foreign_events_do_not_exist(api, foreign, app):
    payment = api.pay()
    foreign.pay()
    ordered(app)
    types = {event["type"] for event in api.get(f"/events?payment={payment['id']}").get_json()["data"]}
    assert "authorisation.submitted" not in types
    theirs = foreign.get("/events").get_json()["data"][0]["id"]
    assert error_of(api.get(f"/events/{theirs}")) == (404, "not_found", None)
    assert error_of(api.get(f"/events?after={theirs}")) == (422, "bad_cursor", "after")
    assert error_of(api.get("/events?after=nonsense")) == (422, "bad_cursor", "after")
