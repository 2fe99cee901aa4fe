"""How the Adyen stand-in answers: keys, idempotency, and misbehaviour on demand."""

import copy
import functools
import hashlib
import json
from collections.abc import Callable

from flask import Response, current_app, request

from sandbox.adyen.book import Book, Refused
from sandbox.stand_in import Thing

_RAW = ("number", "cvc")


def book() -> Book:
    return current_app.extensions["sandbox_adyen"]


def asked() -> Thing:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(400, "702", message="Required object could not be read")
    return body


def api(view: Callable[..., tuple[int, Thing]]) -> Callable[..., Response]:
    """A view gives status and object, or raises Refused."""

    @functools.wraps(view)
    def answer(**path: str) -> Response:
        fault = book().faults.take(f"{request.method} {request.path}")
        word = fault.get("next")
        if word == "silence":
            book().faults.hang(fault)
            return Response(status=504)
        refusals = {
            "down": Refused(503, "999", "internal"),
            "rate_limit": Refused(429, "029", "internal"),
            "busy": Refused(409, "704", "validation", "request already processed or in progress"),
            "refuse": Refused(422, "137", "validation", "Invalid amount specified"),
        }
        if word in refusals:
            return _json(refusals[word].status, refusals[word].body)
        status, body = _once(lambda: view(**path))
        if word == "timeout_after_success":
            book().faults.hang(fault)
            return Response(status=504)
        if word == "garbled":
            return Response("<html>502 Bad Gateway", status=200, content_type="text/html")
        if word == "unknown_word":
            body = {**body, "resultCode": "Teleported", "status": "teleported", "storedPaymentMethods": "teleported"}
        return _json(status, body)

    return answer


def _once(work: Callable[[], tuple[int, Thing]]) -> tuple[int, Thing]:
    """Runs `work` at most once per Idempotency-Key and keeps its answer."""
    key = request.headers.get("Idempotency-Key")
    with book().store.lock:
        book().received.append({"path": request.path, "asked": _without_card()})
        try:
            _check_key()
            if key and len(key) > 64:
                raise Refused(422, "708", message="Idempotency key too long")
            kept = book().store.get("answers", key) if key else None
            if kept:
                if kept["mark"] != _mark():
                    raise Refused(422, "704", message="request already processed or in progress")
                return kept["status"], kept["body"]
            status, body = work()
        except Refused as refused:
            return refused.status, refused.body
        if key:
            book().store.put("answers", key, {"mark": _mark(), "status": status, "body": body})
    return status, body


def _check_key() -> None:
    given = request.headers.get("X-API-Key", "")
    if not given or book().api_key not in (None, given):
        raise Refused(401, "000", "security", "HTTP Status Response - Unauthorized")


def _without_card() -> Thing:
    body = copy.deepcopy(request.get_json(silent=True)) if request.method == "POST" else dict(request.args)
    method = body.get("paymentMethod") if isinstance(body, dict) else None
    if isinstance(method, dict):
        method |= {name: "…" for name in _RAW if name in method}
    return body if isinstance(body, dict) else {}


def _mark() -> str:
    """A fingerprint of a request that does not give away a card number."""
    return hashlib.sha256(json.dumps([request.path, _without_card()], sort_keys=True).encode()).hexdigest()


def _json(status: int, body: Thing) -> Response:
    response = Response(json.dumps(body), status=status, content_type="application/json")
    if request.headers.get("Idempotency-Key"):
        response.headers["Idempotency-Key"] = request.headers["Idempotency-Key"]
    return response
