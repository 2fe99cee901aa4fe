"""How the Stripe stand-in answers: keys, form fields, idempotency, and misbehaviour on demand."""

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from flask import Response, current_app, request

from sandbox.stand_in import Thing
from sandbox.stripe.book import Book, Refused, invalid, shown

_CARD_FIELDS = ("card[number]", "card[cvc]", "payment_method_data[card][number]", "payment_method_data[card][cvc]")


def book() -> Book:
    return current_app.extensions["sandbox_stripe"]


def asked() -> dict[str, Any]:
    """Form or query with bracket names -> nested: `card[number]=4242` gives {"card": {"number": "4242"}}."""
    tree: dict[str, Any] = {}
    for name, value in (request.form or request.args).items(multi=True):
        path = name.replace("]", "").split("[")
        branch = tree
        for step in path[:-1] if path[-1] else path[:-2]:
            branch = branch.setdefault(step, {})
        if path[-1]:
            branch[path[-1]] = value
        else:
            branch.setdefault(path[-2], []).append(value)
    return tree


def found(kind: str, key: object) -> Thing:
    thing = book().store.get(kind, key)
    if thing is None:
        raise Refused(404, "invalid_request_error", "resource_missing", f"No such {kind[:-1]}", param="id")
    return thing


def api(view: Callable[..., Thing]) -> Callable[..., Response]:
    """A view gives the object to answer with, or raises Refused."""

    @functools.wraps(view)
    def answer(**path: str) -> Response:
        fault = book().faults.take(f"{request.method} {request.path}")
        word = fault.get("next")
        if word == "silence":
            book().faults.hang(fault)
            return Response(status=504)
        refusal = {"down": (503, "api_error", None), "rate_limit": (429, "invalid_request_error", "rate_limit")}
        refusal["busy"] = (409, "idempotency_error", "idempotency_key_in_use")
        refusal["refuse"] = (400, "invalid_request_error", "parameter_missing")
        if word in refusal:
            status, kind, code = refusal[word]
            return _json(status, {"error": {"type": kind, "code": code, "message": f"Sandbox: {word}"}})
        status, body, replayed = _once(lambda: view(**path))
        if word == "timeout_after_success":
            book().faults.hang(fault)
            return Response(status=504)
        if word == "garbled":
            return Response("<html>502 Bad Gateway", status=200, content_type="text/html")
        if word == "unknown_word":
            body = {**body, "status": "teleported"}
        return _json(status, body, replayed)

    return answer


def _once(work: Callable[[], Thing]) -> tuple[int, Thing, bool]:
    """Runs `work` at most once per Idempotency-Key and keeps its answer. -> status, body, was it kept?"""
    key = request.headers.get("Idempotency-Key")
    with book().store.lock:
        book().received.append({"path": request.path, "asked": _without_card()})
        try:
            _check_key()
            kept = book().store.get("answers", key) if key and request.method == "POST" else None
            if kept:
                if kept["mark"] != _mark():
                    raise Refused(400, "idempotency_error", None, "Keys may only be used with the same parameters.")
                return kept["status"], kept["body"], True
            status, body = 200, shown(work())
        except Refused as refused:
            status, body = refused.status, {"error": shown(refused.error)}
        if key and request.method == "POST" and status in (200, 402):
            book().store.put("answers", key, {"key": key, "mark": _mark(), "status": status, "body": body})
    return status, body, False


def _check_key() -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not given.startswith("sk_") or book().secret_key not in (None, given):
        raise Refused(401, "invalid_request_error", None, "Invalid API Key provided")
    if request.method == "POST" and request.content_type != "application/x-www-form-urlencoded":
        raise invalid(None, "Only form-encoded requests are understood.")


def _without_card() -> dict[str, str]:
    both = {**request.args, **request.form}
    return {name: "…" if name in _CARD_FIELDS else value for name, value in both.items()}


def _mark() -> str:
    """A fingerprint of a request that does not give away a card number."""
    return hashlib.sha256(json.dumps([request.path, sorted(_without_card().items())]).encode()).hexdigest()


def _json(status: int, body: Thing, replayed: bool = False) -> Response:
    response = Response(json.dumps(body), status=status, content_type="application/json")
    response.headers["Request-Id"] = "req_sandbox"
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response
