"""What a webhook looks like on the wire, judged by the reference library and by the published example."""

import base64
import json
import threading
from datetime import UTC, datetime
from uuid import UUID

import pytest
from standardwebhooks import Webhook as Reference

from app.core.ids import public_id
from app.messages.webhook import Webhook, headers, send, signature

pytestmark = pytest.mark.usefixtures("context")

SECRET = b"0123456789abcdef0123456789abcdef"
EVENT = {
    "id": UUID("01893b6f-0000-7000-8000-000000000001"),
    "name": "capture.succeeded",
    "happened_at": datetime(2026, 11, 21, 18, 30, tzinfo=UTC),
    "live": True,
    "step": 2,
    "payment_step": 5,
    "data": {"amount": 4990, "currency": "EUR", "reason": "Größe passt nicht"},
}


def test_the_signature_is_that_of_the_specification():
    """The example of the Standard Webhooks and Svix documentation."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, secret) == expected


def test_the_reference_library_accepts_what_is_sent(receiver):
    outcome = send(Webhook(f"{receiver.url}/hook?shop=7", EVENT, (SECRET,)))
    assert outcome.delivered and outcome.status == 204 and outcome.error is None
    [one] = receiver.at("/hook")
    assert one.verified(f"whsec_{base64.b64encode(SECRET).decode()}")
    assert one.headers["content-type"] == "application/json"
    assert one.headers["webhook-id"] == public_id("evt", EVENT["id"])


def test_the_body_says_what_happened_when_and_at_which_step(receiver):
    send(Webhook(f"{receiver.url}/hook", EVENT, (SECRET,)))
    assert receiver.at("/hook")[0].event == {
        "id": public_id("evt", EVENT["id"]),
        "type": "capture.succeeded",
        "timestamp": "2026-11-21T18:30:00Z",
        "live": True,
        "step": 2,
        "payment_step": 5,
        "data": EVENT["data"],
    }


def test_a_changed_body_is_not_accepted(receiver):
    send(Webhook(f"{receiver.url}/hook", EVENT, (SECRET,)))
    one = receiver.at("/hook")[0]
    one.body = one.body.replace(b"4990", b"4991")
    assert not one.verified(f"whsec_{base64.b64encode(SECRET).decode()}")


def test_each_valid_secret_signs_alone():
    both = headers("evt_1", 1_700_000_000, b"{}", [SECRET, b"x" * 32])["webhook-signature"].split(" ")
    moment = datetime.fromtimestamp(1_700_000_000, UTC)
    assert both == [Reference(secret).sign("evt_1", moment, "{}") for secret in (SECRET, b"x" * 32)]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_only_2xx_is_a_delivery(receiver, status):
    receiver.answers["/hook"] = status
    assert send(Webhook(f"{receiver.url}/hook", EVENT, (SECRET,))).delivered


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 429, 500, 503])
def test_anything_else_is_none_and_redirects_are_not_followed(receiver, status):
    receiver.answers["/hook"] = status
    outcome = send(Webhook(f"{receiver.url}/hook", EVENT, (SECRET,)))
    assert not outcome.delivered and outcome.error == f"HTTP {status}"
    assert receiver.at("/elsewhere") == []


def test_a_receiver_that_is_not_there_is_an_answer_too():
    outcome = send(Webhook("http://127.0.0.1:1/hook", EVENT, (SECRET,)))
    assert outcome.status is None and "refused" in (outcome.error or "")


def test_a_silent_receiver_is_cut_off_at_the_deadline(receiver):
    released = threading.Event()
    receiver.answers["/hook"] = lambda _: 204 if released.wait(10) else 500
    outcome = send(Webhook(f"{receiver.url}/hook", EVENT, (SECRET,)), deadline_seconds=0.3)
    released.set()
    assert outcome.status is None and outcome.seconds < 3


@pytest.mark.usefixtures("strict")
def test_an_address_that_became_private_is_not_called(receiver):
    url = receiver.url.replace("http://", "https://")
    outcome = send(Webhook(f"{url}/hook", EVENT, (SECRET,)))
    assert outcome.error == "url_not_public"
    assert receiver.received == []


def test_the_address_that_was_checked_is_the_one_connected_to(receiver, monkeypatch):
    """The name resolves to the receiver when asked by us; the connection must not ask again."""
    port = receiver.url.rpartition(":")[2]
    monkeypatch.setattr("app.messages.webhook.resolve", lambda url: ("127.0.0.1",))
    outcome = send(Webhook(f"http://no-such-name.invalid:{port}/hook", EVENT, (SECRET,)))
    assert outcome.delivered
    assert receiver.at("/hook")[0].headers["host"] == f"no-such-name.invalid:{port}"


def test_each_attempt_goes_to_the_next_address_of_the_name(receiver, monkeypatch):
    port = receiver.url.rpartition(":")[2]
    monkeypatch.setattr("app.messages.webhook.resolve", lambda url: ("127.0.0.9", "127.0.0.1"))
    webhook = Webhook(f"http://two.invalid:{port}/hook", EVENT, (SECRET,))
    assert [send(webhook, turn=turn).delivered for turn in range(3)] == [False, True, False]


def test_json_survives_as_it_was_stored(receiver):
    send(Webhook(f"{receiver.url}/hook", EVENT, (SECRET,)))
    assert "Größe" in receiver.at("/hook")[0].body.decode()
    assert json.loads(receiver.at("/hook")[0].body)["data"] == EVENT["data"]
