"""Where webhooks are received, what is shown of them, and the same as JSON for tests and the demo shop."""

import re
import time
from datetime import UTC, datetime
from typing import Any

from flask import abort, current_app, jsonify, redirect, render_template, request, url_for
from standardwebhooks.webhooks import EmptyWebhookSecretError

from sandbox.webhooks import blueprint
from sandbox.webhooks.store import Behaviour, Caught, Message

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _caught() -> Caught:
    return current_app.extensions["sandbox_webhooks"]


@blueprint.post("/in/<name>")
def receive(name: str) -> Any:
    if not _NAME.fullmatch(name):
        abort(404)
    behaviour = _caught().next_behaviour(name)
    if behaviour.delay_ms:
        time.sleep(behaviour.delay_ms / 1000)
    body = request.get_data(as_text=True)
    headers = {key.lower(): value for key, value in request.headers}
    verified, why = _caught().check(name, headers, body)
    _caught().keep(
        name=name,
        received_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        headers=headers,
        body=body,
        verified=verified,
        why=why,
        answered=behaviour.status,
    )
    return jsonify({"caught": True}), behaviour.status


@blueprint.put("/in/<name>/secret")
def tell_secret(name: str) -> Any:
    """{"secret": "whsec_..."} or {"secrets": [...]} while one follows the other."""
    wanted = request.get_json()
    secrets = wanted.get("secrets") or [wanted.get("secret")]
    try:
        _caught().tell_secrets(name, secrets)
    except (ValueError, TypeError, RuntimeError, EmptyWebhookSecretError) as wrong:
        return jsonify({"error": f"not a webhook secret: {wrong}"}), 400
    return jsonify({"name": name, "secrets": len(secrets)})


@blueprint.put("/in/<name>/behaviour")
def behave(name: str) -> Any:
    """{"status": 500, "times": 3, "delay_ms": 0}; `times` 0 is well-behaved again."""
    wanted = request.get_json()
    behaviour = Behaviour(
        status=int(wanted.get("status", 200)),
        times=int(wanted.get("times", 1)),
        delay_ms=int(wanted.get("delay_ms", 0)),
    )
    if not 200 <= behaviour.status <= 599:
        return jsonify({"error": "status: 200 to 599"}), 400
    _caught().behave(name, behaviour)
    return jsonify({"name": name, **vars(behaviour)})


@blueprint.get("/")
def overview() -> str:
    name = request.args.get("name") or None
    messages = _caught().all(name, request.args.get("contains", ""))
    return render_template("sandbox/webhooks.html", messages=messages, names=_caught().names(), chosen=name)


@blueprint.get("/messages.json")
def messages() -> Any:
    """Newest first; `?name=` one endpoint, `?contains=` a part of the body, `?limit=` up to 1000 (100)."""
    limit = min(request.args.get("limit", 100, type=int), 1000)
    found = _caught().all(request.args.get("name") or None, request.args.get("contains", ""), limit)
    return jsonify([as_json(message) for message in found])


@blueprint.delete("/messages.json")
def clear() -> Any:
    return jsonify({"deleted": _caught().clear(request.args.get("name") or None)})


@blueprint.post("/clear")
def clear_by_button() -> Any:
    _caught().clear(request.form.get("name") or None)
    return redirect(url_for("webhooks.overview", name=request.form.get("name") or None), 303)


def as_json(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "name": message.name,
        "received_at": message.received_at,
        "type": message.type,
        "verified": message.verified,
        "why": message.why,
        "answered": message.answered,
        "headers": message.headers,
        "body": message.body,
        "json": message.content,
    }
