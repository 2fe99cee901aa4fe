"""Deny by default: every route without a key, without its permission, with a stranger's and the other mode's key."""

from datetime import timedelta
from io import BytesIO

import pytest
from apiflask import APIFlask
from flask import Flask
from sqlalchemy import text

from app.api import door
from app.api._callers import PermissionNotDeclared, needed
from app.connectors.kinds import DisputeNews
from app.core import web
from app.core.db import ALL, atomic, reading
from app.core.sequence import sequence
from app.merchants import keys
from tests import factories
from tests.api.conftest import Api, by_card, error_of, new_key, order
from tests.documents.files import PDF

# A body that each route which makes or changes something would accept from the owner.
BODIES = {
    "payments.create": order(payment_method=by_card()),
    "payments.confirm": {"payment_method": by_card()},
    "checkouts.create": order(),
    "customers.create": {},
    "customers.change": {"name": "Somebody else"},
    "instruments.create": {"payment_method": by_card()},
    "webhook_endpoints.create": {"url": "https://shop.example/hooks"},
    "webhook_endpoints.change": {"active": False},
}


def a_file() -> dict:
    """What a route that takes a file would accept; read once, so made anew each time."""
    return {"kind": "receipt", "file": (BytesIO(PDF), "receipt.pdf")}


FILES = {"evidence.create": a_file}


def routes() -> list[tuple[str, str, str]]:
    """(method, rule, endpoint) of everything under /v1 that needs a key."""
    application = APIFlask("routes", spec_path=None, docs_path=None)
    web.attach(application)
    door.attach(application)
    wanted = needed(application)
    return sorted(
        (method, rule.rule.removeprefix("/v1"), rule.endpoint)
        for rule in application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint in wanted
    )


ROUTES = routes()
WITH_ID = [route for route in ROUTES if "<" in route[1]]
by_endpoint = pytest.mark.parametrize(("method", "rule", "endpoint"), ROUTES, ids=[route[2] for route in ROUTES])
by_endpoint_with_id = pytest.mark.parametrize(
    ("method", "rule", "endpoint"), WITH_ID, ids=[route[2] for route in WITH_ID]
)


@pytest.fixture(scope="module")
def things(app, tenant) -> dict[str, str]:
    """One thing of the tenant's for every kind of id in a path."""
    api = Api(app, tenant, tenant.key)
    payment = api.pay()  # one that captures itself asks for payment.capture wherever it is made or confirmed
    api.post(f"/payments/{payment['id']}/captures")
    endpoint = api.post("/webhook_endpoints", {"url": "https://shop.example/hooks"}).get_json()["id"]
    with app.app_context():
        done = factories.captured(tenant)
        reference = factories.authorisation_of(done)["provider_reference"]
        news = DisputeNews(turn="inquiry", provider_reference="case-1", reason="fraudulent")
        more = {"reference": reference, "dispute": news, "authorisation_reference": reference}
        factories.hear(tenant, done, "dispute", "approved", 10_000, **more)
        while sequence():
            pass
    dispute = api.get("/disputes").get_json()["data"][0]["id"]
    return {
        "payment_id": payment["id"],
        "refund_id": api.post(f"/payments/{payment['id']}/refunds", {"amount": 100}).get_json()["id"],
        "operation_id": api.get(f"/payments/{payment['id']}/operations").get_json()["data"][0]["id"],
        "checkout_id": api.post("/checkouts", order()).get_json()["id"],
        "customer_id": api.post("/customers", {"name": "Erika"}).get_json()["id"],
        "instrument_id": api.post("/instruments", {"payment_method": by_card()}).get_json()["id"],
        "dispute_id": dispute,
        "document_id": api.post(f"/disputes/{dispute}/evidence", data=a_file()).get_json()["id"],
        "event_id": api.get("/events").get_json()["data"][0]["id"],
        "endpoint_id": endpoint,
        "delivery_id": api.post(f"/webhook_endpoints/{endpoint}/test").get_json()["id"],
    }


def ask(api: Api, method: str, rule: str, endpoint: str, things: dict[str, str], **more):
    path = rule.replace("<", "{").replace(">", "}").format(**things)
    if endpoint in BODIES:
        more["json"] = BODIES[endpoint]
    if endpoint in FILES:
        more["data"] = FILES[endpoint]()
    return api.ask(method, path, **more)


def rows(app) -> int:
    """Grows with everything that is written about anybody."""
    with app.app_context(), reading(ALL) as connection:
        return connection.execute(
            text("SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM idempotency_keys)")
        ).scalar_one()


@by_endpoint
def test_without_a_key_nothing_is_done(app, tenant, things, method, rule, endpoint):
    before = rows(app)
    address = {"REMOTE_ADDR": f"10.1.0.{ROUTES.index((method, rule, endpoint))}"}
    answer = ask(Api(app, tenant, "sk_test_unknown"), method, rule, endpoint, things, environ_overrides=address)
    assert error_of(answer) == (401, "key_needed", None)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert rows(app) == before


@by_endpoint
def test_without_its_permission_nothing_is_done(app, tenant, things, method, rule, endpoint):
    permission = needed(app)[endpoint]
    with app.app_context():
        key = new_key(tenant, *(word for word in keys.PERMISSIONS if word != permission))
    before = rows(app)
    answer = ask(Api(app, tenant, key), method, rule, endpoint, things)
    assert error_of(answer) == (403, "permission_missing", None)
    assert permission in answer.get_json()["error"]["message"]
    assert rows(app) == before


@by_endpoint_with_id
def test_another_merchants_things_do_not_exist(app, stranger, things, method, rule, endpoint):
    before = rows(app)
    answer = ask(Api(app, stranger, stranger.key), method, rule, endpoint, things)
    assert error_of(answer) == (404, "not_found", None)
    assert rows(app) == before


@by_endpoint_with_id
def test_a_live_key_sees_no_test_things(app, tenant, things, method, rule, endpoint):
    with app.app_context():
        key = new_key(tenant, live=True)
    before = rows(app)
    assert error_of(ask(Api(app, tenant, key), method, rule, endpoint, things)) == (404, "not_found", None)
    assert rows(app) == before


@by_endpoint_with_id
def test_a_malformed_id_is_an_unknown_one(app, tenant, things, method, rule, endpoint):
    api = Api(app, tenant, tenant.key)
    for wrong in ("x", "pay_", "%00", "pay_" + "0" * 26, "cus_" + "z" * 26, "e" * 3000):
        answer = ask(api, method, rule, endpoint, dict.fromkeys(things, wrong))
        assert answer.status_code == 404, wrong


@by_endpoint
def test_its_permission_alone_is_enough(app, tenant, things, method, rule, endpoint):
    with app.app_context():
        key = new_key(tenant, needed(app)[endpoint])
    assert ask(Api(app, tenant, key), method, rule, endpoint, things).status_code not in (401, 403)


@pytest.mark.parametrize(
    "listed", ["payments", "checkouts", "customers", "instruments", "disputes", "events", "deliveries"]
)
def test_lists_show_nothing_of_others(app, tenant, stranger, things, listed):
    assert Api(app, tenant, tenant.key).get(f"/{listed}").get_json()["data"]
    assert Api(app, stranger, stranger.key).get(f"/{listed}").get_json()["data"] == []
    with app.app_context():
        live = new_key(tenant, live=True)
    assert Api(app, tenant, live).get(f"/{listed}").get_json()["data"] == []


def test_revoked_expired_unknown_and_missing_keys_look_the_same(app, tenant):
    act = {"merchant_id": tenant.merchant_id, "live": False, "actor": "test"}
    with app.app_context():
        with atomic(ALL) as connection:
            revoked_id, revoked = keys.issue(connection, name="revoked", **act)
            expired_id, expired = keys.issue(connection, name="expired", **act)
            keys.rotate(connection, expired_id, overlap=timedelta(seconds=-1), actor="test")
        keys.revoke(tenant.merchant_id, False, revoked_id, actor="test")
    client = app.test_client()
    sent = [
        f"Bearer {revoked}",
        f"Bearer {expired}",
        "Bearer sk_test_unknown",
        "Bearer ",
        "Basic abc",
        "Bearer ä",
        None,
    ]
    answers = [
        client.get("/v1/payments", headers={"Request-Id": "same-for-all", **({"Authorization": one} if one else {})})
        for one in sent
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}


def test_a_route_without_a_permission_is_refused_at_start_up():
    careless = Flask("careless")
    careless.add_url_rule("/v1/secrets", "secrets", lambda: "everything")
    with pytest.raises(PermissionNotDeclared, match="secrets"):
        needed(careless)


def test_every_permission_is_of_use(app):
    assert set(needed(app).values()) == set(keys.PERMISSIONS)
