"""`/docs`: the description of the API for people. Served from here, loads nothing from elsewhere, needs no script."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request
from flask_babel import gettext
from markupsafe import Markup, escape

from app.api._docs_fields import Field, fields, sample
from app.api._spec import description
from app.api._upload import MULTIPART
from app.config import settings
from app.core.errors import Refusal
from app.core.problem import HTTP_PROBLEMS, INTERNAL
from app.core.web import LANGUAGES, language

door = Blueprint("docs", __name__, template_folder="templates", static_folder="static", static_url_path="/docs/static")

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation as the page shows it."""

    id: str
    method: str
    path: str
    title: str
    about: str
    permission: str
    query: list[Field]
    body: list[Field]
    curl: str
    status: str
    answer: str


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One error code; several refusals may share it."""

    code: str
    status: int
    said: list[tuple[str, str]]


@door.app_template_filter("code")
def with_code(words: str) -> Markup:
    """`words` in backticks become code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(words))))  # noqa: S704 - escaped just now


@door.get("/docs")
def read() -> Response:
    wanted = request.args.get("lang")
    if wanted in LANGUAGES:
        g.language = wanted
    spec = description()
    page = render_template(
        "api/docs.html",
        spec=spec,
        groups=groups(spec),
        webhooks=_webhooks(spec),
        errors=errors(),
        language=language(),
        languages=LANGUAGES,
        base=settings().public_url,
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Vary"] = "Accept-Language"
    return response


def groups(spec: dict[str, Any]) -> list[tuple[dict[str, str], list[Entry]]]:
    """Operations by tag, in the order a merchant meets them."""
    found: dict[str, list[Entry]] = {}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            found.setdefault(operation["tags"][0], []).append(_entry(spec, path, method, operation))
    tags = {tag["name"]: tag for tag in spec["tags"]}
    order = [name for name in _ORDER if name in found] + [name for name in found if name not in _ORDER]
    return [(tags[name], sorted(found[name], key=_place)) for name in order]


_ORDER = (
    "Payments",
    "Captures",
    "Refunds",
    "Operations",
    "Checkouts",
    "Customers",
    "Instruments",
    "Disputes",
    "Evidence",
    "Events",
)


def _place(entry: Entry) -> tuple[int, bool, str]:
    """Short paths first, and on each what makes things before what shows them."""
    return entry.path.count("/"), entry.method != "POST", entry.path


def _entry(spec: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Entry:
    schemas = spec["components"]["schemas"]
    status, made = next((code, made) for code, made in operation["responses"].items() if code.startswith("2"))
    form, body = next(iter(operation.get("requestBody", {}).get("content", {}).items()), ("", {}))
    given = made.get("content", {})
    answer = given.get("application/json", {}).get("schema")
    return Entry(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        title=operation["summary"],
        about=operation.get("description", ""),
        permission=operation["x-permission"],
        query=list(_query(operation["parameters"])),
        body=list(fields(body["schema"], schemas)) if body else [],
        curl=_curl(method, path, body.get("example"), form),
        status=status,
        answer=_pretty(sample(answer, schemas)) if answer else "\n".join(given),
    )


def _query(parameters: Iterable[dict[str, Any]]) -> Iterable[Field]:
    """The parameters in the query as fields."""
    schema = {
        "properties": {one["name"]: one["schema"] for one in parameters if one.get("in") == "query"},
        "required": [],
    }
    return fields(schema, {})


def _curl(method: str, path: str, example: Any, form: str) -> str:
    lines = [f"curl {settings().public_url}{path}", '-H "Authorization: Bearer sk_test_…"']
    if method != "get":
        lines[0] = f"curl -X {method.upper()} {settings().public_url}{path}"
    if method == "post":
        lines.append('-H "Idempotency-Key: 7c1f0d2e-1001"')
    if form == MULTIPART:
        lines += [f"-F {name}={value}" for name, value in example.items()]
    elif example is not None:
        lines += ['-H "Content-Type: application/json"', f"-d '{_pretty(example)}'"]
    return " \\\n  ".join(lines)


def _webhooks(spec: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Name, title, what it means, example."""
    found = []
    for name, hook in spec["webhooks"].items():
        post = hook["post"]
        example = post["requestBody"]["content"]["application/json"]["example"]
        title, about = post["summary"], post["description"]
        found.append((name, gettext(title), gettext(about), _pretty(example)))
    return found


def errors() -> list[ErrorEntry]:
    """Every code this API can answer with, from the refusals in the code."""
    found: dict[str, ErrorEntry] = {}
    said = [(one.code, one.status, one.message, one.advice) for one in _refusals(Refusal)]
    said += [(code, status, message, advice) for status, (_, code, message, advice) in HTTP_PROBLEMS.items()]
    said.append((INTERNAL[1], 500, INTERNAL[2], INTERNAL[3]))
    for code, status, message, advice in said:
        entry = found.setdefault(code, ErrorEntry(code, status, []))
        sentence = (_open(gettext(message)), _open(gettext(advice)) if advice else "")
        if sentence not in entry.said:
            entry.said.append(sentence)
    return sorted(found.values(), key=lambda entry: entry.code)


def _open(sentence: str) -> str:
    """What is filled in later is shown as an ellipsis."""
    return re.sub(r"%\(\w+\)s", "…", sentence)


def _refusals(base: type[Refusal]) -> list[type[Refusal]]:
    """The classes of the rooms and of this door, not those of the other doors."""
    found = []
    for one in base.__subclasses__():
        if one.__module__.startswith("app."):
            found.append(one)
        found += _refusals(one)
    return found


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
