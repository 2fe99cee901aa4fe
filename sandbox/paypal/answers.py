"""How the stand-in answers: refusals in PayPal's form, repeats under one PayPal-Request-Id, and misbehaviour
on demand."""

import base64
import copy
import functools
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any

from flask import Response, current_app, g, jsonify, request

from sandbox.paypal.books import CURRENCIES, WHOLE, Books, Thing
from sandbox.paypal.webhooks import Webhooks

_ERRORS = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    401: ("AUTHENTICATION_FAILURE", "Authentication failed due to missing or invalid credentials."),
    403: ("NOT_AUTHORIZED", "Authorization failed due to insufficient permissions."),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    409: ("RESOURCE_CONFLICT", "The server has detected a conflict while processing this request."),
    422: ("UNPROCESSABLE_ENTITY", "The requested action could not be performed or failed business validation."),
}
TOKEN_SECONDS = 32_400
_tokens: dict[str, str] = {}  # access token -> client id; forgotten at a restart, as a real one may be at any time


class Refused(Exception):
    """PayPal's error object."""

    def __init__(self, status: int, issue: str, **links: str) -> None:
        self.status = status
        self.issue = issue
        self.links = links
        super().__init__(issue)

    def response(self) -> tuple[Response, int]:
        return jsonify(
            {
                "name": _ERRORS[self.status][0],
                "message": _ERRORS[self.status][1],
                "debug_id": secrets.token_hex(7),
                "details": [{"issue": self.issue, "description": f"Sandbox: {self.issue}"}],
                "links": [{"href": href, "rel": rel.replace("_", "-")} for rel, href in self.links.items()],
            }
        ), self.status


def books() -> Books:
    return current_app.extensions["sandbox_paypal"][0]


def webhooks() -> Webhooks:
    return current_app.extensions["sandbox_paypal"][1]


def base() -> str:
    return request.url_root.rstrip("/") + "/paypal"


def new_token(client_id: str) -> Thing:
    token = "A21AA" + secrets.token_urlsafe(48)
    _tokens[token] = client_id
    return {"access_token": token, "token_type": "Bearer", "app_id": "APP-SANDBOX", "expires_in": TOKEN_SECONDS}


def forget_tokens() -> None:
    _tokens.clear()


def client_of_basic() -> str | None:
    """The client id of a Basic header; None for a wrong secret (any secret that contains "wrong")."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return None
    client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    return client_id if client_id and secret and "wrong" not in secret else None


def client() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    for known, client_id in list(_tokens.items()):
        if scheme == "Bearer" and hmac.compare_digest(known, token):
            return client_id
    raise Refused(401, "INVALID_ACCOUNT_STATUS")


def mine(kind: str, key: str) -> Thing:
    """A thing of the calling merchant. Raises Refused 404."""
    thing = books().get(kind, key)
    if thing is None or thing.get("_owner", g.client) != g.client:
        raise Refused(404, "INVALID_RESOURCE_ID")
    return thing


def shown(thing: Thing) -> Thing:
    return {name: value for name, value in thing.items() if not name.startswith("_")}


def amount_of(body: Thing) -> Thing | None:
    """The amount of a request, noted as it came over the wire. Raises Refused 422 for one PayPal would refuse."""
    amount = body.get("amount")
    if amount is None:
        return None
    books().put("wire", str(len(books().all("wire"))), amount)
    currency, value = amount.get("currency_code"), amount.get("value", "")
    if currency not in CURRENCIES:
        raise Refused(422, "INVALID_CURRENCY_CODE")
    whole, point, part = value.partition(".")
    if not whole.isdigit() or (point and not part.isdigit()) or value.replace("0", "") in ("", "."):
        raise Refused(422, "CANNOT_BE_ZERO_OR_NEGATIVE")
    if point and currency in WHOLE:
        raise Refused(422, "DECIMALS_NOT_SUPPORTED")
    if len(part) > 2:
        raise Refused(422, "DECIMAL_PRECISION")
    return amount


def verb(name: str, state: str | None = None, decline: str = "TRANSACTION_REFUSED") -> Callable[..., Any]:
    """Wraps a route: who asks, the lock, repeats, and what the control endpoint ordered for this verb.

    `state`: the kind of thing the route makes, answered again for a known PayPal-Request-Id.
    """

    def wrap(view: Callable[..., Thing | None]) -> Callable[..., Any]:
        @functools.wraps(view)
        def answer(**arguments: str) -> Any:
            do = _ordered(name)
            if do.get("do") == "silence":
                time.sleep(do.get("seconds", 15))
            try:
                g.client = client()
                if do.get("do") == "decline":
                    raise Refused(422, do.get("issue") or decline)
                if do.get("do") == "server_error":
                    return jsonify({"name": "INTERNAL_SERVER_ERROR", "message": "An internal error occurred."}), 500
                if do.get("do") == "too_many":
                    return jsonify({"name": "RATE_LIMIT_REACHED", "message": "Too many requests."}), 429
                with books().lock:
                    thing, repeated = _once(view, arguments, state)
            except Refused as refused:
                return refused.response()
            if do.get("do") == "timeout_after_success":
                time.sleep(do.get("seconds", 15))
            if do.get("do") == "garbled":
                return Response("<html><body>Bad gateway", status=200, content_type="text/html")
            if thing is None:
                return Response(status=204)
            body = _with_unknown_word(shown(thing)) if do.get("do") == "unknown_word" else shown(thing)
            return jsonify(body), 201 if state and not repeated else 200

        return answer

    return wrap


def _once(view: Callable[..., Thing | None], arguments: dict[str, str], state: str | None) -> tuple[Thing | None, bool]:
    key = request.headers.get("PayPal-Request-Id")
    if not key or not state:
        return view(**arguments), False
    name = f"{g.client} {request.path} {key}"
    known = books().get("requests", name)
    if known:
        return books().get(known["kind"], known["key"]), True
    thing = view(**arguments)
    assert thing is not None
    books().put("requests", name, {"kind": state, "key": thing["id"]})
    return thing, False


def garbled_token() -> Response | None:
    """For `token`, which no order for all verbs (*) hits."""
    word = _ordered("token", also="token").get("do")
    return Response("<html><body>Bad gateway", content_type="text/html") if word == "garbled" else None


def _ordered(name: str, also: str = "*") -> Thing:
    with books().lock:
        for order in books().misbehaviour:
            if order["verb"] in (name, also):
                order["times"] -= 1
                if order["times"] <= 0:
                    books().misbehaviour.remove(order)
                return order
    return {}


def _with_unknown_word(body: Thing) -> Thing:
    changed: Thing = {**copy.deepcopy(body), "status": "WOBBLING"}
    for unit in changed.get("purchase_units", []):
        for found in unit.get("payments", {}).values():
            for one in found:
                one["status"] = "WOBBLING"
    return changed
