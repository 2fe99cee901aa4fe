"""Logging in and out: Flask-Security, with what it lacks (lock-out, limits) and without what we do not use."""

from datetime import timedelta
from threading import BoundedSemaphore
from typing import Any

from flask import Flask, request
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import LoginForm as LibraryLoginForm
from flask_security import Security
from flask_security.tf_plugin import TfPlugin
from flask_security.utils import hash_password, validate_redirect_url
from flask_wtf import CSRFProtect
from wtforms import EmailField, PasswordField
from wtforms.validators import DataRequired

from admin import present
from admin.texts import lazy as _l
from app.config import settings
from app.core.clock import now
from app.staff import lock, sessions
from app.staff.datastore import StaffDatastore
from app.staff.models import User

csrf = CSRFProtect()

# A password check takes 64 MB: so many at once, whatever the number of threads; the others wait.
HASHING = BoundedSemaphore(4)


class LoginForm(LibraryLoginForm):
    """One answer for wrong address, wrong password and deactivated account; no password is tried while locked."""

    email = EmailField(_l("E-mail address"), validators=[DataRequired(_l("Type your e-mail address."))])
    password = PasswordField(_l("Password"), validators=[DataRequired(_l("Type your password."))])
    remember = None  # pyright: ignore[reportAssignmentType]  # no log-in outlives its session

    def validate_next(self, field: Any) -> None:
        """Anything but a place of ours is forgotten; the log-in goes on to the start page."""
        if field.data and not validate_redirect_url(field.data):
            field.data = ""

    def validate(self, **kwargs: Any) -> bool:
        if not super(LibraryLoginForm, self).validate(**kwargs):
            return False
        problem = self._problem()
        if problem:
            self.form_errors.append(problem)
        return not problem

    def _problem(self) -> str | None:
        email = (self.email.data or "").strip().lower()
        if lock.too_many_from(request.remote_addr or ""):
            return _("Too many attempts from your network. Wait ten minutes.")
        made = lock.attempt(email)
        if made.wait_until is not None:
            minutes = max(1, round((made.wait_until - now()).total_seconds() / 60))
            return ngettext(
                "Too many wrong passwords. Wait %(num)s minute.",
                "Too many wrong passwords. Wait %(num)s minutes.",
                minutes,
            )
        user = self._matching(made, self.password.data or "")
        if user is None:
            lock.failed_from(request.remote_addr or "")
            return _("E-mail address or password is wrong.")
        self.user = user  # pyright: ignore[reportAttributeAccessIssue]
        return None

    def _matching(self, made: lock.Attempt, password: str) -> User | None:
        user = StaffDatastore().find_user(email=made.email)
        with HASHING:
            if user is None:
                hash_password(password)  # as long as for a known address
            is_right = user is not None and user.verify_and_update_password(password)
        if user is None or not is_right:
            lock.failed(made)
            return None
        lock.passed(made)
        return user if user.active else None


def attach(app: Flask, second_step: TfPlugin) -> None:
    """`second_step` is asked after each right password (second_step.py)."""
    app.config.update(
        SESSION_COOKIE_NAME="zahlwerk_staff",
        SESSION_COOKIE_PATH="/admin",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings().secure_cookies,
        PERMANENT_SESSION_LIFETIME=sessions.LASTS,
        WTF_CSRF_CHECK_DEFAULT=False,  # guard.py asks for the token, in the back office only
        WTF_CSRF_TIME_LIMIT=None,  # a form may stay open as long as its session
        SECURITY_PASSWORD_SALT=settings().keys.session.hex(),
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of a method
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        SECURITY_URL_PREFIX="/admin",
        SECURITY_STATIC_FOLDER=None,
        SECURITY_POST_LOGIN_VIEW="/admin/",
        SECURITY_POST_LOGOUT_VIEW="/admin/login",
        SECURITY_LOGIN_USER_TEMPLATE="office/login.html",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_FLASH_MESSAGES=False,
        SECURITY_TRACKABLE=True,
        SECURITY_DATETIME_FACTORY=now,
        SECURITY_FRESHNESS=timedelta(seconds=-1),
        SECURITY_CLI_USERS_NAME=None,
        SECURITY_CLI_ROLES_NAME=None,
    )
    csrf.init_app(app)
    before = _hooks(app)
    security = Security()
    security.init_app(app, StaffDatastore(), login_form=LoginForm)
    security.want_json(lambda _request: False)
    security.login_manager.request_loader(None)
    security.login_manager.user_loader(present.load)
    security.two_factor_plugins = second_step
    _stay_out_of_other_doors(app, before)
    present.attach(app)


def _hooks(app: Flask) -> dict[str, list[Any]]:
    return {
        "before": list(app.before_request_funcs.get(None, [])),
        "after": list(app.after_request_funcs.get(None, [])),
        "context": list(app.template_context_processors[None]),
    }


def _stay_out_of_other_doors(app: Flask, before: dict[str, list[Any]]) -> None:
    """Takes back what the libraries hang onto every request: API and hosted pages know no session.

    Left in place it would read the session, and set `Vary: Cookie`, for each payment.
    """
    app.before_request_funcs[None] = before["before"]
    app.after_request_funcs[None] = before["after"]
    app.template_context_processors[None] = before["context"]
