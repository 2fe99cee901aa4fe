"""What all doors have in common: request ids, languages, security headers, health, and answers to errors.

A door that renders errors in its own form says `errors_under(app, "/v1", render)`; everything else gets a plain line.
"""

import os
import re
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import redis
import structlog
from apiflask import APIFlask
from babel.support import NullTranslations, Translations
from flask import Blueprint, Flask, Response, current_app, g, has_request_context, jsonify, request
from flask_babel import Babel
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from app.config import settings
from app.core import db, headers, metrics, queue, skew
from app.core.audit import audit
from app.core.keys import keys
from app.core.logs import about, nothing_yet, redact
from app.core.origin import came_from
from app.core.problem import DATABASE_AWAY, Problem, problem_of

log = structlog.get_logger()

LANGUAGES = ("en", "de")
TRANSLATIONS = Path(__file__).resolve().parents[2] / "translations"

_PAYMENT = re.compile(r"pay_[0-9a-z]{26}")
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_RENDERERS = "zahlwerk.errors"
_LARGEST = "zahlwerk.bodies"

Render = Callable[[Problem], Response]

health = Blueprint("health", __name__)


def attach(app: APIFlask) -> None:
    proxies = settings().trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)
    Babel(app, default_locale="en", default_translation_directories=str(TRANSLATIONS), locale_selector=language)
    app.jinja_env.install_gettext_callables(_translated, _translated_plural, newstyle=True)  # type: ignore[attr-defined]
    app.extensions[_RENDERERS] = []
    app.extensions[_LARGEST] = []
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(Exception, _answer)
    app.register_blueprint(health)
    app.cli.add_command(keys)
    app.cli.add_command(audit)


def errors_under(app: Flask, prefix: str, render: Render) -> None:
    """Errors at paths that start with `prefix` are rendered by `render`. The longest prefix wins."""
    app.extensions[_RENDERERS].append((prefix, render))
    app.extensions[_RENDERERS].sort(key=lambda entry: -len(entry[0]))


def bodies_under(app: Flask, prefix: str, largest_bytes: int) -> None:
    """Bodies sent to paths that start with `prefix` may be this large; more is 413, before it is read."""
    app.extensions[_LARGEST].append((prefix, largest_bytes))


def language() -> str:
    """`g.language` if a door has set it (a shop's page, a member of staff), else what the browser asks for."""
    if not has_request_context():
        return "en"
    chosen = getattr(g, "language", None)
    wanted = [chosen] if chosen else [tag.partition("-")[0].lower() for tag in request.accept_languages.values()]
    return next((tag for tag in wanted if tag in LANGUAGES), "en")


# Flask-Babel finds context, domain and locale anew for every text, and a page of the back office has a hundred.
@cache
def _catalogue(code: str) -> NullTranslations:
    return Translations.load(str(TRANSLATIONS), [code])


def _translated(text: str) -> str:
    return _catalogue(language()).gettext(text)


def _translated_plural(one: str, many: str, count: int) -> str:
    return _catalogue(language()).ngettext(one, many, count)


def request_id() -> str:
    return getattr(g, "request_id", "")


def _begin() -> None:
    """A caller's own id is kept if it is sane, so that both sides find the same request in their logs."""
    g.begun = time.perf_counter()
    given = request.headers.get("Request-Id", "")
    kept = _SANE_ID.fullmatch(given) and redact(given) == given
    g.request_id = given if kept else f"req_{os.urandom(12).hex()}"
    nothing_yet()
    came_from({})
    about(request_id=g.request_id, **_payment_asked_for())
    for prefix, largest in current_app.extensions[_LARGEST]:
        if request.path.startswith(prefix):
            request.max_content_length = largest


def _payment_asked_for() -> dict[str, str]:
    """The payment in the address, if there is one; whether it exists, nobody has looked yet."""
    for value in (request.view_args or {}).values():
        if isinstance(value, str) and _PAYMENT.fullmatch(value):
            return {"payment": value}
    return {}


def _finish(response: Response) -> Response:
    """Headers that every answer carries; a door that needs a wider policy has set its own before."""
    response.headers["Request-Id"] = request_id()
    headers.add_missing(response)
    _count(response)
    return response


def _count(response: Response) -> None:
    """By the rule of the route and not by the address, which others choose."""
    route = ("route", request.url_rule.rule if request.url_rule else "none")
    method = ("method", request.method if request.url_rule else "any")
    counted = (("zahlwerk_requests_total", (method, route, ("status", str(response.status_code)))), 1)
    begun = g.get("begun")
    seconds = time.perf_counter() - begun if begun else 0.0
    log.debug("answered", **dict((method, route)), status=response.status_code, ms=round(1000 * seconds))
    metrics.add(counted, *metrics.observed("zahlwerk_request_seconds", seconds, (method, route)))


def _answer(error: Exception) -> Any:
    """Any error -> the answer in the form of the door it happened at; an open read transaction ends first."""
    ready_made = getattr(error, "response", None) if isinstance(error, HTTPException) else None
    if ready_made is not None:
        return ready_made
    db.end_reading()
    problem = problem_of(error)
    renderers: list[tuple[str, Render]] = current_app.extensions[_RENDERERS]
    render = next((render for prefix, render in renderers if request.path.startswith(prefix)), _plain)
    response = render(problem)
    response.headers.extend(problem.headers)
    return response


def _plain(problem: Problem) -> Response:
    lines = [problem.said(), problem.advised() or "", f"{problem.code} · {request_id()}"]
    return Response("\n".join(line for line in lines if line) + "\n", problem.status, mimetype="text/plain")


@health.get("/healthz")
def alive() -> Response:
    """The process answers; asks nobody else."""
    return jsonify(status="ok")


@health.get("/readyz")
def ready() -> tuple[Response, int]:
    """Ready when the database is and the clock is right (skew.py). Without Redis everything works, only later, so it
    is named and no more."""
    found = {"database": _works(db.ping), "redis": _works(_ping_redis)}
    if found["database"] == "ok":
        found["clock"] = "ok" if skew.is_right() else "wrong"
    is_ready = found.get("clock") == "ok"
    return jsonify(status="ready" if is_ready else "not_ready", **found), 200 if is_ready else 503


def _ping_redis() -> None:
    queue.connection().ping()


def _works(check: Callable[[], None]) -> str:
    try:
        check()
    except (*DATABASE_AWAY, redis.RedisError):
        return "away"
    return "ok"
