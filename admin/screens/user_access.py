"""How somebody else gets in: invitation, link for a new password, sessions, a lost second factor."""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from admin.access_shown import access_of
from admin.forms import Form
from admin.four_eyes import ask_or_do, asked_for
from admin.office import url
from admin.screen import Screen, actor, go, page, say, say_refused
from admin.screens.users import read_user
from app.core.db import ALL, atomic
from app.core.errors import Refusal
from app.core.ids import parse_id
from app.staff import invite, second_factor, sessions


class UserAccess(Screen):
    address = "users"

    @page("/<id>/invite", "user.write", ("POST",), fresh=True)
    def invite(self, id: str) -> AnyResponse:
        return self._sent(id, "invitation", _("The invitation is on its way. It is valid for 72 hours."))

    @page("/<id>/reset", "user.write", ("POST",), fresh=True)
    def reset(self, id: str) -> AnyResponse:
        return self._sent(id, "reset", _("The link is on its way. It is valid for 30 minutes."))

    def _sent(self, id: str, purpose: str, done: str) -> AnyResponse:
        try:
            with atomic(ALL) as work:
                invite.send_again(work, parse_id("usr", id), purpose, actor=actor())
        except Refusal as refusal:
            say_refused(refusal)
        else:
            say(done)
        return go(url("users.detail", id=id))

    @page("/<id>/sessions", "user.write", ("POST",), fresh=True)
    def sessions(self, id: str) -> AnyResponse:
        user = read_user(parse_id("usr", id))
        with atomic(ALL) as work:
            sessions.end_all(work, user["id"], actor=actor())
        say(_("Every session of this user has ended."))
        return go(url("users.detail", id=id))

    @page("/<id>/factor", "user.write", ("GET", "POST"), fresh=True)
    def factor(self, id: str) -> Any:
        user, form = read_user(parse_id("usr", id)), Form()
        if form.validate_on_submit():
            try:
                with atomic(ALL) as work:
                    who = {"merchant_id": None, "live": None, "subject_id": user["id"]}
                    if ask_or_do(work, "factor_removal", **who, params={"email": user["email"]}):
                        return asked_for()
                    second_factor.remove_all(work, user["id"], actor=actor())
            except Refusal as refusal:
                say_refused(refusal)
            else:
                say(_("The second factor is removed; every session of this user has ended."))
            return go(url("users.detail", id=id))
        return self.show(
            "user_factor",
            title=_("Remove the second factor"),
            form=form,
            id=id,
            user=user,
            access=access_of(user["id"]),
        )


SCREEN = UserAccess

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import user_access as _me

    _check: ScreenModule = _me
