"""A merchant's program that calls the API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from pydantic import BaseModel
from werkzeug.test import TestResponse

from app.core.db import ALL, atomic
from app.merchants import keys
from sandbox.acquirers.cards import CARD_BY_NAME, FUTURE_EXPIRY
from tests import factories
from tests.factories import Tenant


@dataclass
class Api:
    """Calls with one key. Every answer is checked for what all answers must have."""

    app: Flask
    tenant: Tenant
    key: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.ask("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        return self.ask("POST", path, **({"json": json} if json is not None else {}), **more)

    def patch(self, path: str, json: Any) -> TestResponse:
        return self.ask("PATCH", path, json=json)

    def delete(self, path: str) -> TestResponse:
        return self.ask("DELETE", path)

    def ask(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.key}", **self.headers, **(headers or {})}
        answer = self.app.test_client().open(f"/v1{path}", method=method, headers=sent, **more)
        assert answer.headers["Request-Id"]
        assert answer.headers["Cache-Control"] == "no-store"
        if answer.status_code >= 400:
            assert set(answer.get_json()["error"]) == {
                *("type", "code", "message", "param", "request_id", "doc_url", "advice")
            }
        return answer

    def pay(self, amount: int = 10_000, card: str = "visa", **more: Any) -> dict[str, Any]:
        """A payment by card, as it is answered."""
        return self.post("/payments", order(amount, payment_method=by_card(card), **more)).get_json()

    def once(self, key: str) -> "Api":
        """The same with an Idempotency-Key."""
        return Api(self.app, self.tenant, self.key, {**self.headers, "Idempotency-Key": key})


def order(amount: int = 10_000, **more: Any) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR", "merchant_reference": "order-1", **more}


def by_card(name: str = "visa") -> dict[str, Any]:
    """A published test card by its name (sandbox/acquirers/cards.py)."""
    published = CARD_BY_NAME[name]
    return {
        "type": "card",
        "card": {
            "number": published.number,
            "expiry_month": FUTURE_EXPIRY[0],
            "expiry_year": FUTURE_EXPIRY[1],
            "security_code": published.security_code,
            "holder": "Erika Muster",
        },
    }


def error_of(answer: TestResponse) -> tuple[int, str, str | None]:
    """(status, code, param) of a refusal."""
    error = answer.get_json()["error"]
    return answer.status_code, error["code"], error["param"]


def fits(model: type[BaseModel], answer: TestResponse) -> dict[str, Any]:
    """The body, after checking that it has exactly the form that the documentation promises."""
    model.model_validate(answer.get_json())
    return answer.get_json()


def new_key(tenant: Tenant, *permissions: str, live: bool = False) -> str:
    """Another key of the same merchant. Needs an application context."""
    with atomic(ALL) as connection:
        return keys.issue(
            connection,
            merchant_id=tenant.merchant_id,
            live=live,
            name="another",
            permissions=permissions or keys.PERMISSIONS,
            actor="test",
        )[1]


@pytest.fixture(scope="module")
def tenant(app, acquirers) -> Tenant:
    """A merchant at acquirer A, the same for the whole module."""
    with app.app_context():
        return factories.tenant(acquirers["A"])


@pytest.fixture(scope="module")
def stranger(app, acquirers) -> Tenant:
    """Another merchant."""
    with app.app_context():
        return factories.tenant(acquirers["A"])


@pytest.fixture
def api(app, tenant) -> Api:
    return Api(app, tenant, tenant.key)


@pytest.fixture
def foreign(app, stranger) -> Api:
    """The API as another merchant sees it."""
    return Api(app, stranger, stranger.key)
