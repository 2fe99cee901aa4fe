"""The own passkeys: added, removed."""

from typing import TYPE_CHECKING, Any

from flask import Response
from flask_babel import gettext as _
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Length

from admin.forms import REQUIRED, TIDY, Form
from admin.here import connection, staff
from admin.office import url
from admin.present import my_log_in, origin
from admin.screen import Screen, go, page, say, say_refused
from admin.texts import lazy as _l
from app.core.db import ALL, atomic
from app.core.errors import NotFound, Refusal
from app.staff import passkeys, recovery, second_factor
from app.staff.permissions import SELF


class PasskeyForm(Form):
    name = StringField(_l("Name"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=60)])
    credential = HiddenField(validators=[Length(max=20_000)])


class Passkeys(Screen):
    address = "account/passkeys"

    @page("/add", SELF, ("GET", "POST"), fresh=True)
    def add(self) -> Any:
        form = PasskeyForm(name=origin().get("device", ""))
        if form.validate_on_submit():
            try:
                with atomic(ALL) as work:
                    passkeys.register(work, staff().id, form.name.data or "", form.credential.data or "")
                    first = second_factor.of(work, staff().id).codes == 0
                    codes = recovery.make(work, staff().id) if first else []
            except Refusal as refusal:
                say_refused(refusal)
                return go(url("passkeys.add"))
            say(_("The passkey is added. You can log in with it."))
            if codes:
                return self.show("recovery_codes", title=_("Your recovery codes"), codes=codes)
            return go(url("login_safety.index"))
        return self.show("passkey_add", title=_("Add a passkey"), form=form, must=my_log_in().must_set_up)

    @page("/options", SELF, fresh=True)
    def options(self) -> Response:
        return Response(passkeys.to_register(connection(), staff().id), mimetype="application/json")

    @page("/<id>/remove", SELF, ("GET", "POST"), fresh=True)
    def remove(self, id: str) -> Any:
        form = Form()
        mine = {str(one["id"]): one for one in second_factor.of(connection(), staff().id).passkeys}
        if id not in mine:
            raise NotFound()
        if form.validate_on_submit():
            try:
                with atomic(ALL) as work:
                    passkeys.remove(work, staff().id, int(id), needs=my_log_in().needs_second_factor)
            except Refusal as refusal:
                say_refused(refusal)
            else:
                say(_("The passkey is removed."))
            return go(url("login_safety.index"))
        return self.show(
            "factor_remove",
            title=_("Remove the passkey %(name)s", name=mine[id]["name"]),
            form=form,
            effect=_("It no longer works for the log-in. It may still be stored on the device; delete it there too."),
        )


SCREEN = Passkeys

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import passkeys as _me

    _check: ScreenModule = _me
