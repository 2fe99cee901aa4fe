"""Webhook endpoints through the API."""

import pytest

from app.api.deliveries import Delivery
from app.api.webhook_endpoints import Endpoints, EndpointWithSecret, WebhookEndpoint
from app.config import settings
from tests.api.conftest import error_of, fits

URL = "https://shop.example/hooks"


@pytest.fixture
def endpoint(api):
    return api.post("/webhook_endpoints", {"url": URL, "events": ["capture.succeeded"]}).get_json()


def test_the_secret_is_shown_once(api):
    answer = api.post("/webhook_endpoints", {"url": URL, "description": "Shop"})
    made = fits(EndpointWithSecret, answer)
    assert answer.status_code == 201
    assert made["secret"].startswith("whsec_")
    read = fits(WebhookEndpoint, api.get(f"/webhook_endpoints/{made['id']}"))
    assert read == {name: value for name, value in made.items() if name != "secret"}
    assert "whsec_" not in api.get("/webhook_endpoints").text


def test_only_what_is_sent_is_changed(api, endpoint):
    changed = api.patch(f"/webhook_endpoints/{endpoint['id']}", {"active": False, "events": []})
    assert fits(WebhookEndpoint, changed)["url"] == URL
    assert (changed.get_json()["active"], changed.get_json()["events"]) == (False, [])
    assert api.patch(f"/webhook_endpoints/{endpoint['id']}", {}).get_json() == changed.get_json()


def test_a_deleted_one_is_gone(api, endpoint):
    gone = api.delete(f"/webhook_endpoints/{endpoint['id']}")
    assert (gone.status_code, gone.data) == (204, b"")
    assert error_of(api.get(f"/webhook_endpoints/{endpoint['id']}")) == (404, "not_found", None)
    assert endpoint["id"] not in [one["id"] for one in fits(Endpoints, api.get("/webhook_endpoints"))["data"]]


def test_a_rotated_secret_leaves_the_old_one_valid_for_a_while(api, endpoint):
    rotated = fits(EndpointWithSecret, api.post(f"/webhook_endpoints/{endpoint['id']}/rotate_secret"))
    assert rotated["secret"].startswith("whsec_") and rotated["secret"] != endpoint["secret"]
    assert rotated["old_secret_valid_until"] is not None


def test_a_test_is_a_delivery_to_this_endpoint_alone(api, endpoint):
    answer = api.post(f"/webhook_endpoints/{endpoint['id']}/test")
    delivery = fits(Delivery, answer)
    assert answer.status_code == 201
    assert (delivery["type"], delivery["endpoint"], delivery["status"]) == ("endpoint.test", endpoint["id"], "pending")
    assert api.get(f"/deliveries/{delivery['id']}").get_json() == delivery


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        ({"url": "ftp://shop.example/"}, (422, "wrong_form", "url")),
        ({"url": "https://user:pass@shop.example/"}, (422, "bad_url", "url")),
        ({"url": URL, "events": ["nothing.happened"]}, (422, "unknown_event", "events")),
        ({"url": URL, "events": "capture.succeeded"}, (422, "not_a_list", "events")),
        ({}, (422, "field_needed", "url")),
    ],
)
def test_wrong_ones_are_refused(api, sent, refused):
    assert error_of(api.post("/webhook_endpoints", sent)) == refused


def test_a_repeated_request_makes_one_and_does_not_show_the_secret_again(api):
    first = api.once("hook-1").post("/webhook_endpoints", {"url": URL})
    again = api.once("hook-1").post("/webhook_endpoints", {"url": URL})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status_code, again.get_json()["id"]) == (201, first.get_json()["id"])
    assert "secret" not in again.get_json()


def test_a_repeated_request_is_answered_the_same_when_there_may_be_no_more(api, foreign):
    """Of another merchant, whose endpoints are counted here."""
    sent = {"url": URL}
    first = foreign.once("hook-2").post("/webhook_endpoints", sent).get_json()
    while (last := foreign.post("/webhook_endpoints", sent)).status_code == 201:
        pass
    assert error_of(last) == (409, "too_many_endpoints", None)
    again = foreign.once("hook-2").post("/webhook_endpoints", sent)
    assert (again.status_code, again.get_json()) == (201, {k: v for k, v in first.items() if k != "secret"})


def test_a_repeated_test_is_answered_the_same_when_the_endpoint_is_switched_off(api, endpoint):
    path = f"/webhook_endpoints/{endpoint['id']}"
    first = api.once("hook-3").post(f"{path}/test")
    api.patch(path, {"active": False})
    again = api.once("hook-3").post(f"{path}/test")
    assert (again.status_code, again.get_json()["id"]) == (201, first.get_json()["id"])
    assert error_of(api.once("hook-4").post(f"{path}/test")) == (409, "endpoint_inactive", None)


def test_a_repeated_request_is_answered_the_same_when_the_name_has_left_the_dns(app, api, monkeypatch):
    first = api.once("hook-5").post("/webhook_endpoints", {"url": "https://gone.invalid/hooks"}).get_json()
    monkeypatch.setenv("ALLOW_PRIVATE_ENDPOINTS", "0")
    settings.cache_clear()
    try:
        again = api.once("hook-5").post("/webhook_endpoints", {"url": "https://gone.invalid/hooks"})
        assert (again.status_code, again.get_json().get("id")) == (201, first["id"])
        refused = api.once("hook-6").post("/webhook_endpoints", {"url": "https://gone.invalid/hooks"})
        assert error_of(refused) == (422, "url_unknown_host", "url")
    finally:
        monkeypatch.undo()
        settings.cache_clear()
