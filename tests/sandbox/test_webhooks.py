"""The webhook catcher: signatures are checked, everything is shown, and it fails when told to."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from standardwebhooks.webhooks import Webhook

from sandbox.web import create_app

OLD, NEW, WRONG = ("whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in (1, 2, 3))


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return create_app(tmp_path).test_client()


def send(client: FlaskClient, secret: str | None = OLD, name: str = "cafe", age_seconds: int = 0, **data: object):
    body = json.dumps({"type": "payment.captured", "data": data})
    headers = {"Content-Type": "application/json"}
    if secret:
        at = datetime.now(UTC) - timedelta(seconds=age_seconds)
        headers |= {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign("msg_1", at, body),
        }
    return client.post(f"/webhooks/in/{name}", data=body, headers=headers)


def messages(client: FlaskClient, query: str = "") -> list[dict]:
    return client.get(f"/webhooks/messages.json{query}").json


def test_a_right_signature_is_verified(client: FlaskClient) -> None:
    client.put("/webhooks/in/cafe/secret", json={"secret": OLD})
    assert send(client, amount=4970).status_code == 200
    [message] = messages(client)
    assert (message["verified"], message["type"], message["json"]["data"]) == (
        True,
        "payment.captured",
        {"amount": 4970},
    )
    assert message["headers"]["webhook-id"] == "msg_1"


@pytest.mark.parametrize(("secret", "age"), [(WRONG, 0), (OLD, 600), (None, 0)])
def test_a_wrong_an_old_and_a_missing_signature_are_not(client: FlaskClient, secret: str | None, age: int) -> None:
    client.put("/webhooks/in/cafe/secret", json={"secret": OLD})
    send(client, secret, age_seconds=age)
    [message] = messages(client)
    assert message["verified"] is False and message["why"]


def test_two_secrets_are_valid_while_one_follows_the_other(client: FlaskClient) -> None:
    client.put("/webhooks/in/cafe/secret", json={"secrets": [OLD, NEW]})
    for secret in (OLD, NEW):
        send(client, secret)
    assert [message["verified"] for message in messages(client)] == [True, True]


def test_without_a_secret_it_says_that_it_could_not_check(client: FlaskClient) -> None:
    send(client)
    assert messages(client)[0]["verified"] is None
    assert "nicht geprüft" in client.get("/webhooks/").get_data(as_text=True)


def test_the_demo_file_knows_the_secrets(client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shops = {"shops": [{"slug": "cafe", "webhook_secret": OLD}]}
    (tmp_path / "demo.json").write_text(json.dumps(shops))
    monkeypatch.setenv("ZAHLWERK_DEMO_FILE", str(tmp_path / "demo.json"))
    send(client)
    assert messages(client)[0]["verified"] is True


def test_it_fails_as_often_as_it_is_told(client: FlaskClient) -> None:
    client.put("/webhooks/in/cafe/behaviour", json={"status": 500, "times": 2, "delay_ms": 0})
    assert [send(client).status_code for _ in range(3)] == [500, 500, 200]
    assert [message["answered"] for message in messages(client)] == [200, 500, 500]


def test_it_can_be_slow(client: FlaskClient) -> None:
    client.put("/webhooks/in/cafe/behaviour", json={"times": 1, "delay_ms": 120})
    started = time.monotonic()
    send(client)
    assert time.monotonic() - started >= 0.12


def test_newest_first_by_endpoint_and_content(client: FlaskClient) -> None:
    send(client, name="cafe", order="CM-1")
    send(client, name="nord", order="NO-1")
    assert [message["name"] for message in messages(client)] == ["nord", "cafe"]
    assert [message["name"] for message in messages(client, "?name=cafe")] == ["cafe"]
    assert [message["name"] for message in messages(client, "?contains=NO-1")] == ["nord"]
    assert len(messages(client, "?limit=1")) == 1
    page = client.get("/webhooks/?name=cafe").get_data(as_text=True)
    assert "CM-1" in page and "NO-1" not in page


def test_deleting_one_endpoint_keeps_the_other_also_after_a_restart(tmp_path: Path) -> None:
    client = create_app(tmp_path).test_client()
    send(client, name="cafe")
    send(client, name="nord")
    assert client.delete("/webhooks/messages.json?name=cafe").json == {"deleted": 1}
    again = create_app(tmp_path).test_client()
    assert [message["name"] for message in messages(again)] == ["nord"]
    send(again, name="nord")
    assert len({message["id"] for message in messages(again)}) == 2


def test_secrets_are_not_written_down(tmp_path: Path) -> None:
    client = create_app(tmp_path).test_client()
    client.put("/webhooks/in/cafe/secret", json={"secret": OLD})
    send(client)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"msg_1" in written
    assert OLD.removeprefix("whsec_").encode() not in written


@pytest.mark.parametrize("wanted", [{"secret": ""}, {"secret": "whsec_%%%"}, {"secrets": [None]}, {}])
def test_a_secret_that_is_none_is_refused(client: FlaskClient, wanted: dict) -> None:
    assert client.put("/webhooks/in/cafe/secret", json=wanted).status_code == 400


def test_what_is_not_json_is_shown_as_it_came_and_as_text(client: FlaskClient) -> None:
    client.post("/webhooks/in/cafe", data="<script>alert(1)</script>")
    page = client.get("/webhooks/").get_data(as_text=True)
    assert "&lt;script&gt;" in page and "<script>alert" not in page
