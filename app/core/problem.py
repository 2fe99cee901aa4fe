"""Whatever went wrong in a request, as one typed thing that any door can render: JSON, a page, a line of text.

A refusal says what it says. A database that is away, locked or too slow is 503 and worth repeating. What is left
is a bug: the caller hears that something failed and nothing more, and the log gets the type and the places, never
the message, which might quote what was sent.
"""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from flask_babel import gettext
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.core.errors import Refusal
from app.core.texts import N_

log = structlog.get_logger()

RETRY_SECONDS = 2
# The database is away, a lock or a statement took too long, or no pooled connection came free.
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)


class Unavailable(Refusal):
    kind = "unavailable"
    status = 503
    code = "unavailable"
    message = N_("The service is too busy just now.")
    advice = N_("Repeat the request after the seconds in Retry-After, with the same Idempotency-Key.")


@dataclass(frozen=True, slots=True)
class Problem:
    """`message` and `advice` are English texts for gettext, filled from `values`. `headers` go with any rendering."""

    kind: str
    status: int
    code: str
    message: str
    advice: str = ""
    param: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def said(self) -> str:
        """What went wrong, in the language of the request."""
        return gettext(self.message, **self.values)

    def advised(self) -> str | None:
        """What to do, in the language of the request."""
        return gettext(self.advice, **self.values) if self.advice else None


# What the web framework itself refuses: status -> (kind, code, message, advice).
HTTP_PROBLEMS: dict[int, tuple[str, str, str, str]] = {
    400: ("invalid_request", "bad_request", N_("This request cannot be read."), N_("Check its form.")),
    404: ("not_found", "no_such_path", N_("There is nothing at this address."), N_("Check the address.")),
    405: (
        *("invalid_request", "method_not_allowed"),
        *(N_("This address does not take this method."), N_("Use one of those in the Allow header.")),
    ),
    408: ("invalid_request", "request_timeout", N_("The request took too long to arrive."), N_("Send it again.")),
    413: ("invalid_request", "body_too_large", N_("The request is too large."), N_("Send less at once.")),
    415: (
        *("invalid_request", "wrong_content_type"),
        *(N_("This kind of content is not taken here."), N_("Send application/json.")),
    ),
    429: ("rate_limit", "too_many_requests", N_("Too many requests."), N_("Wait for the seconds in Retry-After.")),
}
INTERNAL = (
    *("internal", "internal_error", N_("Something failed on our side.")),
    N_("Repeat the request with the same Idempotency-Key; if it fails again, tell us the request id."),
)


def problem_of(error: BaseException) -> Problem:
    """Any exception as a Problem. Logs what is not the caller's doing."""
    if isinstance(error, Refusal):
        return _of_refusal(error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, DATABASE_AWAY):
        log.warning("database_unavailable", error=_cause(error))
        return _of_refusal(Unavailable(retry_after=RETRY_SECONDS))
    log.error("unexpected", error=type(error).__name__, cause=_cause(error), at=places(error))
    kind, code, message, advice = INTERNAL
    return Problem(kind, 500, code, message, advice)


def _of_refusal(refusal: Refusal) -> Problem:
    """A refusal raised with `retry_after=` (seconds) gives that header."""
    after = refusal.values.get("retry_after")
    return Problem(
        kind=refusal.kind,
        status=refusal.status,
        code=refusal.code,
        message=refusal.message,
        advice=refusal.advice,
        param=refusal.param,
        values=refusal.values,
        headers={"Retry-After": str(after)} if after is not None else {},
    )


def _of_http(error: HTTPException) -> Problem:
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    if status >= 500:
        kind, code, message, advice = INTERNAL
    else:
        kind, code, message, advice = HTTP_PROBLEMS.get(status, HTTP_PROBLEMS[400])
    return Problem(kind, status, code, message, advice, headers=headers)


def places(error: BaseException) -> list[str]:
    """Where it was raised, innermost last: file:line:function, without any value."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in frames]


def _cause(error: BaseException) -> str:
    """The driver's own type (LockNotAvailable, QueryCanceled), which says more than SQLAlchemy's."""
    return type(getattr(error, "orig", None) or error).__name__
