"""Showing who one is, beside the first password: a code, a recovery code, a passkey, or the password once more.

Every way counts towards the same lock-out as wrong passwords at the log-in.
"""

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

# field -> what it proves, in the order in which they are looked at
_FIELDS = {"credential": "passkey", "recovery": "recovery", "code": "totp", "password": "password"}


class ProofForm(Form):
    """One of these is filled in; which ones a page shows is its own affair."""

    password = PasswordField(_l("Password"), validators=[Length(max=200)])
    code = StringField(_l("Code from the app"), filters=TIDY, validators=[Length(max=20)])
    recovery = StringField(_l("Recovery code"), filters=TIDY, validators=[Length(max=40)])
    credential = HiddenField(validators=[Length(max=20_000)])


def begun(email: str) -> lock.Attempt | str:
    """An attempt that may be made now, and is counted; or why nothing may be tried."""
    if lock.too_many_from(request.remote_addr or ""):
        return _("Too many attempts from your network. Wait ten minutes.")
    made = lock.attempt(email)
    if made.wait_until is None:
        return made
    minutes = max(1, round((made.wait_until - now()).total_seconds() / 60))
    return ngettext(
        "Too many failed attempts. Wait %(num)s minute.", "Too many failed attempts. Wait %(num)s minutes.", minutes
    )


def shown(form: ProofForm, user: User, *, takes: frozenset[str]) -> str | None:
    """What the form proves: password, totp, recovery or passkey. None: nothing, and the form says why.

    Whoever gets an answer completes a log-in with it, or confirms one (sessions.py): both forget what failed before.
    """
    field = next((field for field in _FIELDS if field in takes and form[field].data), None)
    if field is None:
        asked = "recovery" if "recovery" in request.form and "recovery" in takes else "code" if "code" in takes else ""
        form[asked or "password"].errors = [_("This is needed.")]
        return None
    made = begun(user.email)
    if isinstance(made, str):
        form.form_errors.append(made)
        return None
    return _password(form, user, made) if field == "password" else _tried(form, field, user, made)


def _tried(form: ProofForm, field: str, user: User, made: lock.Attempt) -> str | None:
    how = _FIELDS[field]
    try:
        with atomic(ALL) as work:
            if how == "passkey":
                passkeys.use(work, user.id, form.credential.data or "", asked=user.id)
            elif how == "recovery":
                recovery.use(work, user.id, form.recovery.data or "")
            else:
                authenticator.use(work, user.id, form.code.data or "")
    except Refusal as refusal:
        if isinstance(refusal, UsedCode):  # a code sent twice is nobody's guess
            lock.passed(made)
        else:
            _failed(made, how)
        if field == "credential":
            form.form_errors.append(said(refusal))
        else:
            form[field].errors = [said(refusal)]
        return None
    return how


def _password(form: ProofForm, user: User, made: lock.Attempt) -> str | None:
    with HASHING:
        is_right = user.verify_and_update_password(form.password.data or "")
    if is_right:
        return "password"
    _failed(made, "password")
    form.password.errors = [_("This is not your password.")]
    return None


def _failed(made: lock.Attempt, how: str) -> None:
    lock.failed_from(request.remote_addr or "")
    lock.failed(made, how)
