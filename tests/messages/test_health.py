"""Failing endpoints: their merchant is told once after an hour; after 72 h without a success they are switched off."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.db import ALL, reading
from app.messages import queries
from app.messages.health import warn_failing
from tests import factories
from tests.messages import steps
from tests.messages.steps import endpoint, happen, send_out, time_passes, waiting

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def merchant(context, acquirers):
    steps.nothing_waits()
    return factories.tenant(acquirers["A"]).merchant_id


def test_one_failure_starts_the_account_and_one_success_clears_it(merchant, receiver):
    endpoint_id, _ = endpoint(merchant, f"{receiver.url}/hook")
    receiver.answers["/hook"] = 500
    happen(merchant, "capture.pending")
    send_out()
    assert _row(endpoint_id)["failing_since"] is not None
    receiver.answers["/hook"] = 204
    time_passes(timedelta(seconds=10), merchant)
    send_out()
    row = _row(endpoint_id)
    assert row["failing_since"] is None and row["last_success_at"] is not None


def test_after_an_hour_the_merchant_is_told_once(merchant, receiver):
    endpoint_id, _ = endpoint(merchant, f"{receiver.url}/hook")
    endpoint(merchant, f"{receiver.url}/other")
    receiver.answers["/hook"] = 503
    happen(merchant, "capture.pending")
    send_out()
    warn_failing()
    assert _told(endpoint_id) == []
    time_passes(timedelta(minutes=61), merchant)
    warn_failing()
    warn_failing()
    [event] = _told(endpoint_id)
    assert event["name"] == "endpoint.failing" and event["data"]["last_error"] == "HTTP 503"
    send_out()
    types = [one.event["type"] for one in receiver.at("/other")]
    assert types == ["capture.pending", "endpoint.failing"]
    assert "endpoint.failing" not in {one.event["type"] for one in receiver.at("/hook")}


def test_after_a_success_it_may_be_told_again(merchant, receiver):
    endpoint_id, _ = endpoint(merchant, f"{receiver.url}/hook")
    for _ in range(2):
        receiver.answers["/hook"] = 503
        happen(merchant, "capture.pending")
        send_out()
        time_passes(timedelta(minutes=61), merchant)
        warn_failing()
        receiver.answers["/hook"] = 204
        time_passes(timedelta(hours=1), merchant)
        send_out()
    assert [event["name"] for event in _told(endpoint_id)] == ["endpoint.failing"] * 2


def test_it_is_switched_off_only_after_72_hours_without_any_success(merchant, receiver):
    endpoint_id, _ = endpoint(merchant, f"{receiver.url}/hook")
    receiver.answers["/hook"] = 500
    happen(merchant, "capture.pending")
    send_out()
    time_passes(timedelta(hours=71), merchant)
    send_out()
    assert _row(endpoint_id)["active"]
    time_passes(timedelta(hours=2), merchant)
    happen(merchant, "refund.pending")
    send_out()
    row = _row(endpoint_id)
    assert not row["active"] and row["disabled_reason"] == "no success for 72 hours"
    assert {delivery["state"] for delivery in waiting(merchant)} == {"failed"}
    assert [event["name"] for event in _told(endpoint_id)] == ["endpoint.disabled"]
    happen(merchant, "capture.pending")
    count = len(receiver.at("/hook"))
    send_out()
    assert len(receiver.at("/hook")) == count


def test_a_success_in_between_keeps_it_on(merchant, receiver):
    endpoint_id, _ = endpoint(merchant, f"{receiver.url}/hook")
    receiver.answers["/hook"] = lambda one: 204 if one.event["type"] == "refund.pending" else 500
    happen(merchant, "capture.pending")
    send_out()
    time_passes(timedelta(hours=71), merchant)
    happen(merchant, "refund.pending")
    send_out()
    time_passes(timedelta(hours=2), merchant)
    happen(merchant, "capture.pending")
    send_out()
    assert _row(endpoint_id)["active"]


def test_the_back_office_sees_what_fails_and_how_much_waits(merchant, receiver):
    endpoint_id, _ = endpoint(merchant, f"{receiver.url}/hook")
    endpoint(merchant, f"{receiver.url}/good")
    receiver.answers["/hook"] = 500
    happen(merchant, "capture.pending", "refund.pending")
    send_out()
    with reading(ALL) as connection:
        rows = [row for row in queries.failing(connection) if row["merchant_id"] == merchant]
    assert [(row["id"], row["waiting"], row["failed"]) for row in rows] == [(endpoint_id, 2, 0)]


def _row(endpoint_id):
    with reading(ALL) as connection:
        return queries.endpoint(connection, endpoint_id)


def _told(endpoint_id):
    with reading(ALL) as connection:
        rows = connection.execute(
            text("SELECT * FROM events WHERE subject_id = :id AND audience = 'public' ORDER BY id"), {"id": endpoint_id}
        )
        return [dict(row) for row in rows.mappings()]
