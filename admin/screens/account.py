"""The own account: name, language, time zone, password."""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_login import current_user
from flask_security.utils import verify_password
from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, EqualTo, Length

from admin import choices, present
from admin.fields import options
from admin.forms import REQUIRED, TIDY, Form
from admin.guard import speak
from admin.here import here, staff
from admin.login import HASHING
from admin.office import url
from admin.screen import Screen, actor, go, page, say
from admin.texts import lazy as _l
from app.core.db import ALL, atomic
from app.core.errors import Refusal
from app.staff import lock, sessions
from app.staff.change import change_user, set_password
from app.staff.permissions import SELF


class AccountForm(Form):
    name = StringField(_l("Name"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=120)])
    language = SelectField(_l("Language"), choices=options(choices.LANGUAGES))
    timezone = SelectField(_l("Time zone"), choices=options(choices.TIMEZONES))


class PasswordForm(Form):
    present = PasswordField(_l("Present password"), validators=[DataRequired(REQUIRED)])
    password = PasswordField(_l("New password"), validators=[DataRequired(REQUIRED), Length(max=200)])
    again = PasswordField(
        _l("New password once more"), validators=[EqualTo("password", _l("The two are not the same."))]
    )


class Account(Screen):
    address = "account"

    @page("/", SELF, ("GET", "POST"))
    def index(self) -> Any:
        me = staff()
        form = AccountForm(data={"name": me.name, "language": me.language, "timezone": me.timezone})
        if form.validate_on_submit():
            values = {name: form[name].data for name in ("name", "language", "timezone")}
            with atomic(ALL) as work:
                change_user(work, me.id, values, actor=actor())
            speak(values["language"])
            say(_("Saved."))
            return go(url("account.index"))
        return self.show("account", title=_("Your account"), form=form)

    @page("/password", SELF, ("GET", "POST"))
    def password(self) -> Any:
        form = PasswordForm()
        if form.validate_on_submit() and _change(form):
            say(_("The password is changed. Your other sessions have ended."))
            return go(url("account.index"))
        return self.show("account_password", title=_("Change the password"), form=form)


def _change(form: PasswordForm) -> bool:
    """Sets the new password and keeps this one session. Wrong guesses at the present one count towards the lock."""
    me = staff()
    made = lock.attempt(me.email)
    if made.wait_until is not None:
        form.form_errors.append(_("Too many wrong passwords. Wait a while."))
        return False
    with HASHING:
        is_right = verify_password(form.present.data or "", current_user.password)
    if not is_right:
        lock.failed(made)
        form.present.errors = [_("This is not your present password.")]
        return False
    try:
        with atomic(ALL) as work:
            set_password(work, me.id, form.password.data or "", actor=actor())
            login = sessions.carry_on(work, me.id, present.my_log_in().session_id)
    except Refusal as refusal:
        lock.passed(made)
        form.refuse(refusal)
        return False
    present.carry_on(login, present.me())
    here().staff = me
    return True


SCREEN = Account

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import account as _me

    _check: ScreenModule = _me
