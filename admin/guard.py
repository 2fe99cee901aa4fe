"""Who gets in. Every address of the back office declares what it takes; what declares nothing is refused.

The guard also opens the one read transaction of a request, of the merchants for whom whoever asks may do this, and
ends it.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_babel import refresh
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy import select, true
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from admin import counts, demands, headers, present
from admin.here import LANGUAGE_NAMES, arrive, connection, here, is_here, leave
from admin.login import csrf
from app.core.db import ALL, end_reading, narrow, reading
from app.core.errors import Refusal
from app.core.origin import came_from
from app.core.texts import N_
from app.core.web import errors_under, language
from app.payments.queries import PAYMENTS
from app.staff.access import staff_of
from app.staff.permissions import SELF

PREFIX = "/admin"

# Addresses that need no log-in, and those of libraries that everybody who is logged in may use.
OPEN_TO_ALL = frozenset(
    {
        *("security.login", "office.static", "office.choose_language"),
        *("entrance.second_step", "entrance.second_step_options", "entrance.passkey", "entrance.passkey_options"),
        *("entrance.forgotten", "entrance.invitation", "entrance.reset"),
    }
)
OPEN_TO_STAFF = frozenset({"security.logout"})
_PUBLIC = "public"

_AROUND_A_FILE_BYTES = 100_000  # the other fields of its form, and what is between them


class NotAllowed(Refusal):
    kind = "permission"
    status = 403
    code = "not_allowed"
    message = N_("You may not do this.")
    advice = N_("Ask an administrator for the right.")


class FormTooOld(Refusal):
    code = "form_too_old"
    status = 400
    message = N_("This form does not belong to your present log-in.")
    advice = N_("Go back, load the page again and send it once more.")


def declared(app: Flask, endpoint: str) -> str | None:
    """What an address takes: a permission, SELF, "public", or None (nothing declared: refused to everybody)."""
    if endpoint in OPEN_TO_ALL:
        return _PUBLIC
    if endpoint in OPEN_TO_STAFF:
        return SELF
    return getattr(app.view_functions.get(endpoint), "permission", None)


class FileTooLarge(Refusal):
    status = 413
    code = "file_too_large"
    message = N_("This file is too large: %(megabytes)s MB are the most.")
    advice = N_("Go back and choose a smaller one.")


def attach(app: Flask, render_problem: Callable[[Any], Response]) -> None:
    app.before_request(_admit)
    app.after_request(_leave)
    app.teardown_request(_end)
    errors_under(app, PREFIX, render_problem)


def _admit() -> AnyResponse | None:
    if not _is_ours():
        return None
    arrive()
    if request.endpoint == "office.static":
        return None
    came_from(present.origin())
    _refuse_nul()
    here().stack.enter_context(reading(ALL))
    if current_user.is_authenticated:
        here().staff = staff_of(current_user)  # pyright: ignore[reportArgumentType]  # a proxy of User
    _choose_language()
    permission = declared(current_app, request.endpoint or "")
    if permission != _PUBLIC and here().staff is None:
        return redirect(url_for("security.login", next=_wanted()))
    if here().staff is not None:
        _choose_mode()
    if request.routing_exception is not None:
        return None  # Flask answers it: nothing is at this address
    if permission != _PUBLIC and (permission is None or not _staff_may(permission)):
        raise NotAllowed()
    _narrow(permission)
    _read_form()
    _check_token()
    if permission == _PUBLIC:
        return None
    demands.noticed()
    return demands.made_first()


def _is_ours() -> bool:
    return request.path == PREFIX or request.path.startswith(f"{PREFIX}/")


def _narrow(permission: str | None) -> None:
    """What is read and written from here on belongs to merchants for whom whoever asks may do this."""
    staff = here().staff
    if staff is None or permission == _PUBLIC:
        return
    here().scope = staff.scope("payment.read" if permission == SELF else permission or "")
    if here().scope != ALL:
        narrow(here().scope)


def _staff_may(permission: str) -> bool:
    staff = here().staff
    return staff is not None and staff.may(permission)


def _refuse_nul(values: MultiDict[str, str] | None = None) -> None:
    """PostgreSQL knows no NUL in a text; nobody types one either. None: what follows the `?`."""
    for key, value in (request.args if values is None else values).items(multi=True):
        if "\0" in key or "\0" in value:
            abort(400)


def _read_form() -> None:
    """Only from those who may send it. A file may take its time to arrive: no connection is held meanwhile."""
    largest: int = getattr(current_app.view_functions.get(request.endpoint or ""), "upload_bytes", 0)
    if largest and request.method == "POST":
        request.max_content_length = largest + _AROUND_A_FILE_BYTES
        end_reading()
    try:
        _refuse_nul(request.form)
    except RequestEntityTooLarge:
        if largest:
            raise FileTooLarge(megabytes=largest // 1_000_000) from None
        raise


def _check_token() -> None:
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        try:
            csrf.protect()
        except CSRFError:
            raise FormTooOld() from None


def _choose_language() -> None:
    staff = here().staff
    chosen = staff.language if staff else session.get("language")
    speak(chosen if chosen in LANGUAGE_NAMES else language())


def speak(code: str) -> None:
    """The rest of this request is in that language."""
    here().language = g.language = code
    refresh()


def _choose_mode() -> None:
    """Test or live data: what the address says, else what was looked at last, else what there is."""
    asked = request.args.get("mode")
    if asked in ("test", "live"):
        session["live"] = asked == "live"
    elif "live" not in session:
        session["live"] = _has_live_payments()
    here().live = bool(session["live"])


def _has_live_payments() -> bool:
    query = select(true()).select_from(PAYMENTS).where(PAYMENTS.c.live).limit(1)
    return connection().execute(query).first() is not None


def look_at(live: bool) -> None:
    """A page about one thing shows the mode of that thing, and so do the lists after it."""
    session["live"] = here().live = live


def _wanted() -> str | None:
    """Where a log-in goes on to: only addresses that can be asked for, and not the start page."""
    if request.method != "GET" or request.path in (PREFIX, f"{PREFIX}/"):
        return None
    return request.full_path.rstrip("?")


def is_a_place_of_ours(address: str) -> bool:
    """Whether a redirect may go there: a plain path below /admin/, which no browser can read as another site."""
    path = address.partition("?")[0]
    return path.startswith(f"{PREFIX}/") and not any(sign in path for sign in ("\\", "%5C", "//"))


def _leave(response: Response) -> Response:
    if not is_here():
        return response
    if request.method == "POST":
        counts.forget()
    if request.endpoint == "security.login" and not is_a_place_of_ours(response.headers.get("Location", f"{PREFIX}/")):
        response.headers["Location"] = f"{PREFIX}/"
    return headers.secure(response)


def _end(_error: BaseException | None) -> None:
    came_from({})
    leave()
