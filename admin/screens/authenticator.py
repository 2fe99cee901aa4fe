"""The own authenticator app: set up with a QR code, removed; and recovery codes, which are shown once."""

import base64
from typing import TYPE_CHECKING, Any

import segno
from flask_babel import gettext as _
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Length

from admin.forms import TIDY, Form
from admin.here import connection, staff
from admin.office import url
from admin.present import my_log_in
from admin.screen import Screen, go, page, say, say_refused
from admin.texts import lazy as _l
from app.core import vault
from app.core.db import ALL, atomic
from app.core.errors import Refusal
from app.staff import authenticator, recovery, second_factor
from app.staff.permissions import SELF


class SetUpForm(Form):
    """The new secret travels sealed in the page until a code shows that the app has it."""

    sealed = HiddenField(validators=[Length(max=400)])
    code = StringField(
        _l("Code from the app"), filters=TIDY, validators=[DataRequired(_l("Type the code.")), Length(max=20)]
    )


class Authenticator(Screen):
    address = "account/authenticator"

    @page("/", SELF, ("GET", "POST"), fresh=True)
    def index(self) -> Any:
        me, form = staff(), SetUpForm()
        secret = _opened(form.sealed.data) or authenticator.new_secret()
        if form.validate_on_submit():
            try:
                with atomic(ALL) as work:
                    authenticator.set_up(work, me.id, secret, form.code.data or "")
                    first = second_factor.of(work, me.id).codes == 0
                    codes = recovery.make(work, me.id) if first else []
            except Refusal as refusal:
                form.refuse(refusal)
            else:
                return self._done(codes)
        form.sealed.data = base64.b64encode(vault.seal(secret.encode(), _context())).decode()
        return self.show(
            "authenticator",
            title=_("Set up an authenticator app"),
            form=form,
            picture=segno.make(authenticator.address(secret, me.email), error="m").svg_data_uri(scale=5, border=3),
            key=" ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
            must=my_log_in().must_set_up,
        )

    def _done(self, codes: list[str]) -> Any:
        say(_("The authenticator app is set up. From now on the log-in asks for its code."))
        return self._codes(codes) if codes else go(url("login_safety.index"))

    @page("/remove", SELF, ("GET", "POST"), fresh=True)
    def remove(self) -> Any:
        form = Form()
        if form.validate_on_submit():
            try:
                with atomic(ALL) as work:
                    authenticator.remove(work, staff().id, needs=my_log_in().needs_second_factor)
            except Refusal as refusal:
                say_refused(refusal)
            else:
                say(_("The authenticator app is removed."))
            return go(url("login_safety.index"))
        return self.show(
            "factor_remove",
            title=_("Remove the authenticator app"),
            form=form,
            effect=_("Its codes no longer work for the log-in. You can set up an app again at any time."),
        )

    @page("/codes", SELF, ("GET", "POST"), fresh=True)
    def codes(self) -> Any:
        form, factors = Form(), second_factor.of(connection(), staff().id)
        if not factors.any:
            return go(url("login_safety.index"))
        if form.validate_on_submit():
            with atomic(ALL) as work:
                codes = recovery.make(work, staff().id)
            return self._codes(codes)
        return self.show("recovery_make", title=_("Make new recovery codes"), form=form, left=factors.codes)

    def _codes(self, codes: list[str]) -> str:
        return self.show("recovery_codes", title=_("Your recovery codes"), codes=codes)


def _opened(sealed: str | None) -> str | None:
    try:
        return vault.unseal(base64.b64decode(sealed or ""), _context()).decode()
    except (ValueError, vault.CannotOpen):
        return None


def _context() -> str:
    return f"totp set-up {staff().id}"


SCREEN = Authenticator

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import authenticator as _me

    _check: ScreenModule = _me
