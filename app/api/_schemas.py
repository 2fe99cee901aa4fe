"""Schemas of the description: short names for models, and webhooks from the shelf of public events."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from app.messages.events.kinds import PublicEvent

_PREFIX = "#/components/schemas/"


def schemas_of(model: type[BaseModel]) -> dict[str, Any]:
    """A model and those it is made of, by name."""
    schema = model.model_json_schema(ref_template=_PREFIX + "{model}")
    nested = schema.pop("$defs", {})
    return {model.__name__: schema, **nested}


def with_short_names(node: Any) -> Any:
    """APIFlask calls a nested model `NewPayment.CardIn`, once per parent; one `CardIn` is enough for the reader.

    Also leaves out pydantic's `title` of every field, which only repeats its name.
    """
    if isinstance(node, list):
        return [with_short_names(item) for item in node]
    if isinstance(node, str):
        return _PREFIX + _short(node.removeprefix(_PREFIX)) if node.startswith(_PREFIX) else node
    if not isinstance(node, dict):
        return node
    kept = {name: value for name, value in node.items() if name != "title" or "version" in node}
    changed = {name: with_short_names(value) for name, value in kept.items()}
    if "schemas" in changed and "securitySchemes" in changed:
        changed["schemas"] = _merged(changed["schemas"])
    return changed


def _merged(schemas: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name, schema in schemas.items():
        short = _short(name)
        assert merged.get(short, schema) == schema, f"two models are called {short}"
        merged[short] = schema
    return dict(sorted(merged.items()))


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def webhook(event: PublicEvent) -> dict[str, Any]:
    """What is POSTed to an endpoint for an event (headers and signature: Standard Webhooks 1.0)."""
    example = {
        "id": "evt_01jd3q5wb1c8r6s2p9k4m3x7yt",
        "type": event.NAME,
        "timestamp": "2026-11-21T10:15:00Z",
        "live": False,
        "step": 2,
        "payment_step": 3,
        "data": dict(event.EXAMPLE),
    }
    data = {"type": "object", "properties": {name: _like(value) for name, value in event.EXAMPLE.items()}}
    named = {"properties": {"type": {"const": event.NAME}, "data": data}}
    schema = {"allOf": [{"$ref": f"{_PREFIX}Event"}, named]}
    return {
        "post": {
            "operationId": f"webhook_{event.NAME.replace('.', '_')}",
            "summary": event.TITLE,
            "description": event.DESCRIPTION,
            "tags": ["Webhooks"],
            "parameters": [_header(name, about) for name, about in _SIGNED.items()],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": schema, "example": json.loads(json.dumps(example))}},
            },
            "responses": {"2XX": {"description": "Received. Anything else is tried again for 72 hours."}},
        }
    }


_SIGNED = {
    "webhook-id": "The id of the event; the same in every attempt.",
    "webhook-timestamp": "POSIX time of the attempt. Refuse what is older than five minutes.",
    "webhook-signature": "“v1,” and base64 of HMAC-SHA256 over `id.timestamp.body`; two while a secret is rotated.",
}


def _header(name: str, about: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "description": about, "schema": {"type": "string"}}


def _like(value: Any) -> dict[str, Any]:
    """A schema for what looks like this example; a field may always be null."""
    if isinstance(value, Mapping):
        return {"type": ["object", "null"], "properties": {name: _like(inner) for name, inner in value.items()}}
    kinds = {bool: "boolean", int: "integer", str: "string"}
    kind = kinds.get(type(value))
    return {"type": [kind, "null"]} if kind else {}
