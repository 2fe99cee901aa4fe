"""Providers' notifications: kept first, then read; refused only for a wrong signature or form."""

import hashlib
import hmac
import json
import time

import pytest
from sqlalchemy import select

from app.core.db import ALL, reading
from app.core.ids import parse_id
from app.core.inbox import InboxMessage
from app.merchants.contracts import news_path
from tests.api.conftest import by_card, order


@pytest.fixture
def path(tenant):
    return news_path(tenant.contract_id, "sandbox_card")


def signed(acquirers, body: bytes) -> dict[str, str]:
    """The header that acquirer A signs with (sandbox/acquirers/PROTOCOL.md)."""
    now = str(int(time.time()))
    secret = acquirers["A"].settings["news_secret"].encode()
    digest = hmac.new(secret, f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Sandbox-Signature": f"t={now},v1={digest}"}


def told(payment_row: dict, **more) -> bytes:
    """A notification that an authorisation was approved."""
    return json.dumps(
        {"news": f"n-{time.time_ns()}", "kind": "authorise", "verb": "authorise", **payment_row, **more}
    ).encode()


def states(app, tenant) -> list[str]:
    with app.app_context(), reading(ALL) as connection:
        return list(
            connection.execute(
                select(InboxMessage.state)
                .where(InboxMessage.merchant_id == tenant.merchant_id)
                .order_by(InboxMessage.id.desc())
            ).scalars()
        )


def test_a_fact_is_booked_and_acknowledged(api, app, acquirers, path):
    payment = api.post("/payments", order(payment_method=by_card("garbled"))).get_json()
    assert payment["status"] == "pending"
    operation = api.get(f"/payments/{payment['id']}/operations").get_json()["data"][0]
    journal = next(line for line in acquirers["A"].did(done="authorised") if line["key"] == operation["id"])
    body = told(
        {"id": journal["id"], "key": operation["id"], "status": "approved", "amount": 10_000, "currency": "EUR"}
    )
    answer = app.test_client().post(path, data=body, headers=signed(acquirers, body))
    assert answer.status_code == 200
    assert api.get(f"/payments/{payment['id']}").get_json()["status"] == "authorised"


def test_a_wrong_signature_is_refused_and_books_nothing(api, app, tenant, path):
    payment = api.post("/payments", order(payment_method=by_card("garbled"))).get_json()
    operation = api.get(f"/payments/{payment['id']}/operations").get_json()["data"][0]
    body = told({"id": "x", "key": operation["id"], "status": "approved", "amount": 10_000, "currency": "EUR"})
    answer = app.test_client().post(path, data=body, headers={"X-Sandbox-Signature": "t=1,v1=00"})
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert "notification_refused" in answer.text
    assert states(app, tenant)[0] == "refused"
    assert api.get(f"/payments/{payment['id']}").get_json()["status"] == "pending"


def test_what_fits_nothing_is_kept_and_acknowledged(app, acquirers, tenant, path):
    body = told({"id": "auth_nobody_knows", "key": "op_unknown", "status": "approved", "amount": 1, "currency": "EUR"})
    answer = app.test_client().post(path, data=body, headers=signed(acquirers, body))
    assert answer.status_code == 200
    assert states(app, tenant)[0] == "unmatched"


@pytest.mark.parametrize("path", ["/news/stripe/{}", "/news/sandbox_card/ctr_unknown", "/news/nobody/{}"])
def test_an_unknown_contract_is_not_found(app, tenant, path):
    contract = news_path(tenant.contract_id, "sandbox_card").rpartition("/")[2]
    assert app.test_client().post(path.format(contract), data=b"{}").status_code == 404


def test_a_huge_notification_is_refused_before_it_is_kept(app, tenant, path):
    before = len(states(app, tenant))
    assert app.test_client().post(path, data=b"x" * 300_000).status_code == 413
    assert len(states(app, tenant)) == before


def test_the_path_is_that_of_the_contract(tenant, path):
    assert parse_id("ctr", path.rpartition("/")[2]) == tenant.contract_id
