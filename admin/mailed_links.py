"""Pages for people who are not logged in: a forgotten password, and the links that mails carry."""

import time
from threading import Event
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from wtforms import EmailField, PasswordField
from wtforms.validators import DataRequired, EqualTo, Length

from admin.entrance import entrance, said, show
from admin.forms import REQUIRED, TIDY, Form
from admin.guard import speak
from admin.here import LANGUAGE_NAMES, connection
from admin.screen import go, say
from admin.texts import lazy as _l
from app.core.db import ALL, atomic
from app.core.errors import Refusal
from app.staff import links, lock
from app.staff.forgotten import ask_reset

_ANSWER_SECONDS = 0.3  # every answer takes that long, whether the address is known or not


class ForgottenForm(Form):
    email = EmailField(
        _l("E-mail address"), filters=TIDY, validators=[DataRequired(_l("Type your e-mail address.")), Length(max=200)]
    )


class NewPasswordForm(Form):
    password = PasswordField(_l("New password"), validators=[DataRequired(REQUIRED), Length(max=200)])
    again = PasswordField(
        _l("New password once more"), validators=[EqualTo("password", _l("The two are not the same."))]
    )


@entrance.route("/forgotten", methods=["GET", "POST"])
def forgotten() -> Any:
    form = ForgottenForm(email=request.args.get("email"))
    if not form.validate_on_submit():
        return show("forgotten", title=_("Forgotten your password?"), form=form, sent=False)
    begun = time.monotonic()
    if not lock.too_many_asked_from(request.remote_addr or ""):
        ask_reset(form.email.data or "")
    Event().wait(max(0.0, begun + _ANSWER_SECONDS - time.monotonic()))
    return show("forgotten", title=_("Look into your mail"), form=None, sent=True)


@entrance.route("/invite/<token>", methods=["GET", "POST"])
def invitation(token: str) -> Any:
    return _new_password(token, "invitation", _("Welcome"))


@entrance.route("/reset/<token>", methods=["GET", "POST"])
def reset(token: str) -> Any:
    return _new_password(token, "reset", _("Set a new password"))


def _new_password(token: str, purpose: str, title: str) -> Any:
    try:
        link = links.read(connection(), token, purpose)
    except links.LinkEnded as refusal:
        return show("link_ended", title=_("This link has ended"), status=410, why=said(refusal), purpose=purpose)
    if link.language in LANGUAGE_NAMES and request.method == "GET":
        speak(link.language)
    form = NewPasswordForm()
    if form.validate_on_submit() and _is_set(form, token, purpose):
        say(_("Your password is set. Log in with it."))
        return go(url_for("security.login"))
    return show("new_password", title=title, form=form, link=link, purpose=purpose)


def _is_set(form: NewPasswordForm, token: str, purpose: str) -> bool:
    try:
        with atomic(ALL) as work:
            links.set_password_by(work, token, purpose, form.password.data or "")
    except Refusal as refusal:
        if not form.refuse(refusal):
            form.form_errors.append(said(refusal))
        return False
    return True
