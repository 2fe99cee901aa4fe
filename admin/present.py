"""The log-in of the present request: which session the cookie names, and the device it is on."""

from uuid import UUID, uuid4

from flask import Flask, Response, after_this_request, g, request, session
from flask_login import current_user, user_logged_out
from flask_login import login_user as remember_user
from flask_security import user_authenticated
from flask_security.utils import set_request_attr

from app.config import settings
from app.core.web import request_id
from app.staff import device, sessions
from app.staff.datastore import StaffDatastore
from app.staff.models import User
from app.staff.sessions import Device, LogIn

DEVICE_COOKIE = "zahlwerk_device"
_DEVICE_SECONDS = 400 * 86_400
_SESSION = "sid"


def attach(app: Flask) -> None:
    user_authenticated.connect(_logged_in, app)
    user_logged_out.connect(_logged_out, app)


def load(login: str) -> User | None:
    """Flask-Login asks whose cookie this is: nobody's when the session has ended. One query for all of it."""
    session_id = _uuid(session.get(_SESSION))
    found = StaffDatastore().find_logged_in(login, session_id) if session_id else None
    if found is None:
        return None
    user, g.log_in = found
    set_request_attr("fs_authn_via", "session")
    return user


def log_in() -> LogIn | None:
    """None when nobody is logged in."""
    return g.get("log_in")


def me() -> User:
    """Whoever is logged in; changes of theirs belong to no session."""
    found = current_user._get_current_object()  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(found, User), "only behind the guard"
    return found


def my_log_in() -> LogIn:
    found = log_in()
    assert found is not None, "only behind the guard"
    return found


def carry_on(login: str, user: User) -> None:
    """This session goes on after the user's `login` was renewed (sessions.carry_on)."""
    user.fs_uniquifier = login
    remember_user(user, force=True)


def origin() -> dict[str, str]:
    """Where the request comes from, for events."""
    name = device.named(request.user_agent.string)
    return {"ip_address": request.remote_addr or "", "device": name, "request_id": request_id()}


def _logged_in(_app: Flask, user: User, authn_via: list[str] | None = None, **_more: object) -> None:
    session.permanent = True
    session.pop("half", None)
    session[_SESSION] = str(sessions.begin(user.id, _this_device(), authn_via or []))


def _logged_out(_app: Flask, user: User, **_more: object) -> None:
    session_id = _uuid(session.pop(_SESSION, None))
    if session_id and user is not None and user.is_authenticated:
        sessions.log_out(user.id, session_id)


def _this_device() -> Device:
    known = _uuid(request.cookies.get(DEVICE_COOKIE))
    found = Device(known or uuid4(), device.named(request.user_agent.string), request.remote_addr)

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(
            DEVICE_COOKIE,
            str(found.id),
            max_age=_DEVICE_SECONDS,
            path="/admin",
            secure=settings().secure_cookies,
            httponly=True,
            samesite="Lax",
        )
        return response

    return found


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
