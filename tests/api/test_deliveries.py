"""Deliveries through the API: listed, read, replayed."""

import pytest
from sqlalchemy import update

from app.api.deliveries import Deliveries, Delivery
from app.core.db import ALL, atomic
from app.core.ids import parse_id
from app.messages.endpoints import DELIVERIES
from tests.api.conftest import error_of, fits


@pytest.fixture
def endpoint(api):
    return api.post("/webhook_endpoints", {"url": "https://shop.example/hooks"}).get_json()["id"]


@pytest.fixture
def failed(api, app, endpoint):
    """A delivery that was given up."""
    delivery = api.post(f"/webhook_endpoints/{endpoint}/test").get_json()["id"]
    with app.app_context(), atomic(ALL) as connection:
        connection.execute(
            update(DELIVERIES)
            .where(DELIVERIES.c.id == parse_id("dlv", delivery))
            .values(state="failed", last_status=500, attempts=9)
        )
    return delivery


def test_they_are_listed_newest_first_and_filtered(api, endpoint):
    made = [api.post(f"/webhook_endpoints/{endpoint}/test").get_json()["id"] for _ in range(3)]
    page = fits(Deliveries, api.get(f"/deliveries?endpoint={endpoint}&limit=2"))
    assert [one["id"] for one in page["data"]] == [made[2], made[1]]
    rest = api.get(f"/deliveries?endpoint={endpoint}&limit=2&after={page['next']}").get_json()
    assert ([one["id"] for one in rest["data"]], rest["next"]) == ([made[0]], None)
    assert api.get(f"/deliveries?endpoint={endpoint}&status=delivered").get_json()["data"] == []
    by_event = api.get(f"/deliveries?event={page['data'][0]['event']}").get_json()["data"]
    assert [one["id"] for one in by_event] == [made[2]]


def test_a_replay_is_a_delivery_of_its_own(api, failed):
    answer = api.post(f"/deliveries/{failed}/replay")
    again = fits(Delivery, answer)
    before = api.get(f"/deliveries/{failed}").get_json()
    assert answer.status_code == 201
    assert again["id"] != failed
    assert (again["event"], again["endpoint"], again["replay"]) == (before["event"], before["endpoint"], 1)
    assert (again["status"], before["status"]) == ("pending", "failed")


def test_what_waits_is_not_replayed(api, endpoint):
    waiting = api.post(f"/webhook_endpoints/{endpoint}/test").get_json()["id"]
    assert error_of(api.post(f"/deliveries/{waiting}/replay")) == (409, "still_waiting", None)


def test_the_same_key_replays_once(api, failed):
    first = api.once("replay-1").post(f"/deliveries/{failed}/replay")
    again = api.once("replay-1").post(f"/deliveries/{failed}/replay")
    assert again.get_json()["id"] == first.get_json()["id"]
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_strangers_cursor_continues_nothing(api, foreign):
    endpoint = foreign.post("/webhook_endpoints", {"url": "https://shop.example/hooks"}).get_json()["id"]
    theirs = foreign.post(f"/webhook_endpoints/{endpoint}/test").get_json()["id"]
    assert error_of(api.get(f"/deliveries?after={theirs}")) == (422, "bad_cursor", "after")
