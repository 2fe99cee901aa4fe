"""Showing who one is, beside the first password: a code, a recovery code, a passkey, or the password once more.

Every way counts towards the same lock-out as wrong passwords at the log-in.
"""

from uuid import UUID

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import Length

from admin.entrance import said
from admin.forms import TIDY, Form
from admin.login import HASHING
from admin.texts import lazy as _l
from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.errors import Refusal
from app.staff import authenticator, lock, passkeys, recovery
from app.staff.authenticator import UsedCode
from app.staff.models import User


class ProofForm(Form):
    """One of these is filled in; which ones a page shows is its own affair."""

    password = PasswordField(_l("Password"), validators=[Length(max=200)])
    code = StringField(_l("Code from the app"), filters=TIDY, validators=[Length(max=20)])
    recovery = StringField(_l("Recovery code"), filters=TIDY, validators=[Length(max=40)])
    credential = HiddenField(validators=[Length(max=20_000)])


def too_many(email: str) -> str | None:
    """Why nothing is tried just now; None: it may be tried."""
    if lock.too_many_from(request.remote_addr or ""):
        return _("Too many attempts from your network. Wait ten minutes.")
    until = lock.locked_until(email)
    if until is None:
        return None
    minutes = max(1, round((until - now()).total_seconds() / 60))
    return ngettext(
        "Too many failed attempts. Wait %(num)s minute.", "Too many failed attempts. Wait %(num)s minutes.", minutes
    )


def shown(form: ProofForm, user: User, *, takes: frozenset[str]) -> str | None:
    """What the form proves: password, totp, recovery or passkey. None: nothing, and the form says why."""
    waiting = too_many(user.email)
    if waiting:
        form.form_errors.append(waiting)
        return None
    if "credential" in takes and form.credential.data:
        return _tried(form, "credential", user, "passkey")
    if "recovery" in takes and form.recovery.data:
        return _tried(form, "recovery", user, "recovery")
    if "code" in takes and form.code.data:
        return _tried(form, "code", user, "totp")
    if "password" in takes and form.password.data:
        return _password(form, user)
    asked = "recovery" if "recovery" in request.form and "recovery" in takes else "code" if "code" in takes else ""
    form[asked or "password"].errors = [_("This is needed.")]
    return None


def _tried(form: ProofForm, field: str, user: User, how: str) -> str | None:
    try:
        with atomic(ALL) as work:
            if how == "passkey":
                passkeys.use(work, user.id, form.credential.data or "", asked=user.id)
            elif how == "recovery":
                recovery.use(work, user.id, form.recovery.data or "")
            else:
                authenticator.use(work, user.id, form.code.data or "")
    except Refusal as refusal:
        if not isinstance(refusal, UsedCode):  # a code sent twice is nobody's guess
            _failed(user.id, how)
        if field == "credential":
            form.form_errors.append(said(refusal))
        else:
            form[field].errors = [said(refusal)]
        return None
    return how


def _password(form: ProofForm, user: User) -> str | None:
    with HASHING:
        is_right = user.verify_and_update_password(form.password.data or "")
    if is_right:
        return "password"
    _failed(user.id, "password")
    form.password.errors = [_("This is not your password.")]
    return None


def _failed(user_id: UUID, how: str) -> None:
    lock.failed_from(request.remote_addr or "")
    lock.failed(user_id, how)
