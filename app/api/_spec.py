"""The description of the API, OpenAPI 3.1, made from the code: `/v1/openapi.json`.

APIFlask writes paths, parameters and schemas from the routes. What all routes share is added here, once: the key,
errors, rate limit headers, Idempotency-Key; and the webhooks, from the shelf of public events.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

from apiflask import APIFlask
from flask import Blueprint, Response, current_app, request
from werkzeug.wrappers import Response as BaseResponse

from app.api._callers import needed
from app.api._pictures import ErrorAnswer, PendingApproval
from app.api._schemas import schemas_of, webhook, with_short_names
from app.api.events import Event
from app.config import settings
from app.messages.events import by_name

TITLE = "Zahlwerk API"
ABOUT = (
    "Payments for the German market. Amounts are whole minor units (1250 is 12.50 EUR). Lists are `{data, next}`; "
    "send `next` as `after` for the rest. Repeat a POST safely with an `Idempotency-Key`. A decline is an answer, "
    "not an error; 202 means that the outcome is not known yet."
)
ERRORS = {
    400: "The body cannot be read.",
    401: "No valid key.",
    403: "The key lacks the permission.",
    404: "There is nothing with this id (or it belongs to somebody else).",
    409: "Not possible in the present state, or the first request with this key still runs.",
    413: "The body is too large.",
    415: "The body is not of the content type that is named here.",
    422: "A field is missing, wrong or not allowed.",
    429: "Too many requests.",
    500: "Something failed on our side.",
    503: "Too busy just now; repeat after Retry-After.",
}
_ALWAYS = (401, 403, 429, 500, 503)
_WITH_BODY = (400, 404, 409, 413, 415, 422)
_WITH_PARAMETERS = (404, 422)
REPLAYED = "Idempotent-Replayed"
# Headers of every answer: what they say, and their type.
_HEADERS = {
    "Request-Id": ("Name it when you ask us.", "string"),
    "X-RateLimit-Limit": ("Requests a minute.", "integer"),
    "X-RateLimit-Remaining": ("Requests left in this minute.", "integer"),
    "X-RateLimit-Reset": ("POSIX time at which the minute ends.", "integer"),
    REPLAYED: ("“true”: this Idempotency-Key did its work before; this is what became of it.", "string"),
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body do the work once, and are answered with its present state.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_EXTENSION = "zahlwerk.spec"

door = Blueprint("spec", __name__)


def attach(app: APIFlask) -> None:
    automatic = ("200_RESPONSE", "404_RESPONSE", "VALIDATION_ERROR_RESPONSE", "AUTH_ERROR_RESPONSE", "SERVERS")
    app.config.update({f"AUTO_{name}": False for name in automatic})
    app.config.update(
        AUTO_OPERATION_ID=True,
        SERVERS=[{"url": settings().public_url}],
        INFO={"description": ABOUT},
        SECURITY_SCHEMES={"key": {"type": "http", "scheme": "bearer", "description": "A secret key: sk_test_…"}},
    )
    app.title = TITLE
    app.spec_processor(_completed)
    app.register_blueprint(door)


@door.get("/v1/openapi.json")
def read() -> BaseResponse:
    """The description itself; open to all."""
    _, body, tag = _made()
    response = Response(body, content_type="application/json")
    response.set_etag(tag)
    return response.make_conditional(request)


def description() -> dict[str, Any]:
    """The description as a dictionary, made once per application."""
    return _made()[0]


def _made() -> tuple[dict[str, Any], bytes, str]:
    """The description, its bytes and their tag."""
    kept = current_app.extensions
    if _EXTENSION not in kept:
        spec = cast(APIFlask, current_app).spec
        assert isinstance(spec, dict)
        body = json.dumps(spec, ensure_ascii=False).encode()
        kept[_EXTENSION] = (spec, body, hashlib.sha256(body).hexdigest()[:16])
    return kept[_EXTENSION]


def _completed(spec: dict[str, Any] | str) -> dict[str, Any] | str:
    assert isinstance(spec, dict)
    components = spec["components"]
    for model in (ErrorAnswer, Event, PendingApproval):
        components["schemas"] |= schemas_of(model)
    spec = cast(dict[str, Any], with_short_names(spec))
    components = spec["components"]
    components["responses"] = {f"error{status}": _error(about) for status, about in ERRORS.items()}
    components["headers"] = {
        name: {"description": about, "schema": {"type": kind}} for name, (about, kind) in _HEADERS.items()
    }
    components["parameters"] = {"idempotencyKey": _IDEMPOTENCY_KEY}
    permissions = {_plain_id(endpoint.replace(".", "_")): word for endpoint, word in needed(current_app).items()}
    for path in spec["paths"].values():
        for method, operation in path.items():
            _complete(method, operation, permissions, components["schemas"])
    spec["webhooks"] = {name: webhook(event) for name, event in sorted(by_name().items())}
    return spec


def _complete(
    method: str, operation: dict[str, Any], permissions: Mapping[str, str], schemas: Mapping[str, Any]
) -> None:
    """What an operation shares with all others."""
    name = _plain_id(operation["operationId"].partition("_")[2])  # APIFlask's own id: `post_payments_create`
    operation |= {"operationId": name, "security": [{"key": []}], "x-permission": permissions[name]}
    if "description" in operation:
        operation["description"] = " ".join(operation["description"].split())
    responses, parameters = operation["responses"], operation["parameters"]
    if "202" in responses:
        made = next(response for status, response in responses.items() if status in ("200", "201"))
        responses["202"].setdefault("content", made["content"])
    shared = [name for name in _HEADERS if name != REPLAYED or method == "post"]
    for response in responses.values():
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in shared}
    statuses = {
        *_ALWAYS,
        *(_WITH_BODY if "requestBody" in operation else ()),
        *(_WITH_PARAMETERS if parameters else ()),
    }
    if "requestBody" in operation:
        statuses |= {*_WITH_BODY}
        (content,) = operation["requestBody"]["content"].values()
        reference = content["schema"]["$ref"]
        operation["requestBody"]["required"] = bool(schemas[reference.rpartition("/")[2]].get("required"))
    if method == "post":
        parameters.append({"$ref": "#/components/parameters/idempotencyKey"})
    responses |= {str(status): {"$ref": f"#/components/responses/error{status}"} for status in sorted(statuses)}


def _plain_id(name: str) -> str:
    """`payments_list_` -> `payments_list`: the trailing line keeps Python's own names free."""
    return name.rstrip("_")


def _error(about: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ErrorAnswer"}
    return {"description": about, "content": {"application/json": {"schema": schema}}}
