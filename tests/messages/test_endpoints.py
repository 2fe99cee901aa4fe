"""Webhook endpoints: adding, changing, deleting, secrets."""

import base64
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.core.db import ALL, atomic, of, reading
from app.core.errors import NotFound
from app.messages import endpoints, queries
from app.messages.addresses import NotPublic
from app.messages.endpoints import (
    MOST_ENDPOINTS,
    EndpointInactive,
    TooManyEndpoints,
    UnknownEvent,
    change_endpoint,
    delete_endpoint,
    rotate_secret,
    send_test,
)
from app.messages.public import endpoint_picture
from tests import factories
from tests.messages.steps import endpoint, happen, send_out, waiting

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def merchant(context, acquirers):
    return factories.tenant(acquirers["A"]).merchant_id


def test_a_new_endpoint_has_a_secret_of_32_bytes_that_is_stored_sealed(merchant):
    endpoint_id, secret = endpoint(merchant, "http://127.0.0.1:1/hook")
    raw = base64.b64decode(secret.removeprefix("whsec_"))
    assert len(raw) == 32
    row = _row(merchant, endpoint_id)
    assert raw not in row["secret_sealed"] and secret.encode() not in row["secret_sealed"]
    assert "secret" not in endpoint_picture(row)


def test_unknown_events_are_refused_and_known_ones_kept_once(merchant):
    with pytest.raises(UnknownEvent):
        endpoint(merchant, "http://127.0.0.1:1/hook", "capture.succeeded", "capture.exploded")
    endpoint_id, _ = endpoint(merchant, "http://127.0.0.1:1/hook", "refund.succeeded", "refund.succeeded")
    assert _row(merchant, endpoint_id)["events"] == ["refund.succeeded"]


@pytest.mark.usefixtures("strict")
def test_a_private_address_is_refused_when_saved_and_when_changed(merchant):
    with pytest.raises(NotPublic):
        endpoint(merchant, "https://10.0.0.1/hook")
    endpoint_id, _ = endpoint(merchant, "https://shop.example/hook")
    with pytest.raises(NotPublic), atomic(of(merchant, False)) as connection:
        change_endpoint(connection, endpoint_id=endpoint_id, url="https://[::1]/hook", actor="test")
    assert _row(merchant, endpoint_id)["url"] == "https://shop.example/hook"


def test_only_so_many_can_be_added(merchant):
    for number in range(MOST_ENDPOINTS):
        endpoint(merchant, f"http://127.0.0.1:1/{number}")
    with pytest.raises(TooManyEndpoints):
        endpoint(merchant, "http://127.0.0.1:1/one-more")


def test_an_endpoint_of_another_merchant_or_mode_does_not_exist(merchant, acquirers):
    endpoint_id, _ = endpoint(merchant, "http://127.0.0.1:1/hook")
    other = factories.tenant(acquirers["A"]).merchant_id
    for scope in (of(other, False), of(merchant, True)):
        for verb in (change_endpoint, delete_endpoint, rotate_secret, send_test):
            with pytest.raises(NotFound), atomic(scope) as connection:
                verb(connection, endpoint_id=endpoint_id, actor="test")


def test_what_waits_for_a_deleted_or_switched_off_endpoint_fails(merchant, receiver):
    receiver.answers["/hook"] = 500
    for end in (delete_endpoint, _switch_off):
        endpoint_id, _ = endpoint(merchant, f"{receiver.url}/hook")
        happen(merchant, "capture.pending", payment_id=uuid4())
        send_out()
        with atomic(of(merchant, False)) as connection:
            end(connection, endpoint_id=endpoint_id, actor="test")
        assert {row["state"] for row in waiting(merchant)} == {"failed"}
    happen(merchant, "capture.pending", payment_id=uuid4())
    assert send_out() == 0
    assert len(waiting(merchant)) == 2


def test_switching_on_again_forgets_the_failures(merchant):
    endpoint_id, _ = endpoint(merchant, "http://127.0.0.1:1/hook")
    with atomic(ALL) as connection:
        connection.execute(
            text(
                "UPDATE webhook_endpoints SET active = false, failing_since = now(), warned_at = now() WHERE id = :id"
            ),
            {"id": endpoint_id},
        )
    with atomic(of(merchant, False)) as connection:
        change_endpoint(connection, endpoint_id=endpoint_id, active=True, actor="test")
    row = _row(merchant, endpoint_id)
    assert row["active"] and row["failing_since"] is None and row["warned_at"] is None


def test_changes_are_told_to_staff_without_the_secret(merchant):
    endpoint_id, secret = endpoint(merchant, "http://127.0.0.1:1/hook")
    with atomic(of(merchant, False)) as connection:
        change_endpoint(connection, endpoint_id=endpoint_id, description="new", actor="test")
        rotated = rotate_secret(connection, endpoint_id=endpoint_id, actor="test")
        delete_endpoint(connection, endpoint_id=endpoint_id, actor="test")
    with reading(ALL) as connection:
        rows = connection.execute(
            text("SELECT name, audience, data::text FROM events WHERE subject_id = :id ORDER BY happened_at"),
            {"id": endpoint_id},
        ).all()
    assert [row.name for row in rows] == [
        *("endpoint.added", "endpoint.changed", "endpoint.secret_rotated", "endpoint.deleted")
    ]
    assert {row.audience for row in rows} == {"staff"}
    assert not any(secret in row.data or rotated in row.data for row in rows)


def test_a_rotated_secret_is_followed_by_the_new_one_and_both_are_valid_for_a_day(merchant, receiver):
    endpoint_id, old = endpoint(merchant, f"{receiver.url}/hook")
    with atomic(of(merchant, False)) as connection:
        new = rotate_secret(connection, endpoint_id=endpoint_id, actor="test")
    happen(merchant, "capture.pending")
    send_out()
    [delivery] = receiver.at("/hook")
    assert delivery.verified(old) and delivery.verified(new)
    with atomic(ALL) as connection:
        connection.execute(
            text("UPDATE webhook_endpoints SET old_secret_until = now() - interval '1 second' WHERE id = :id"),
            {"id": endpoint_id},
        )
    happen(merchant, "refund.pending")
    send_out()
    assert receiver.at("/hook")[1].verified(new) and not receiver.at("/hook")[1].verified(old)


def test_a_test_delivery_goes_to_this_endpoint_alone(merchant, receiver):
    endpoint_id, secret = endpoint(merchant, f"{receiver.url}/one", "refund.succeeded")
    endpoint(merchant, f"{receiver.url}/other")
    with atomic(of(merchant, False)) as connection:
        send_test(connection, endpoint_id=endpoint_id, actor="test")
    assert send_out() == 1
    [delivery] = receiver.at("/one")
    assert delivery.event["type"] == "endpoint.test" and delivery.verified(secret)
    assert receiver.at("/other") == []


def test_a_switched_off_endpoint_cannot_be_tested(merchant):
    endpoint_id, _ = endpoint(merchant, "http://127.0.0.1:1/hook")
    with atomic(of(merchant, False)) as connection:
        _switch_off(connection, endpoint_id=endpoint_id, actor="test")
    with pytest.raises(EndpointInactive), atomic(of(merchant, False)) as connection:
        send_test(connection, endpoint_id=endpoint_id, actor="test")


def _switch_off(connection, *, endpoint_id, actor):
    return endpoints.change_endpoint(connection, endpoint_id=endpoint_id, active=False, actor=actor)


def _row(merchant, endpoint_id):
    with reading(of(merchant, False)) as connection:
        return dict(queries.endpoint(connection, endpoint_id))
