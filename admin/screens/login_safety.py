"""The own log-in: second factors, recovery codes, and where one is logged in."""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from admin.here import connection, staff
from admin.office import url
from admin.present import my_log_in
from admin.screen import Screen, actor, go, page, say, say_refused
from app.core.db import ALL, atomic
from app.core.errors import Refusal
from app.core.ids import parse_id
from app.staff import second_factor, sessions
from app.staff.permissions import SELF


class LoginSafety(Screen):
    address = "account/safety"

    @page("/", SELF)
    def index(self) -> str:
        me, log_in = staff(), my_log_in()
        factors = second_factor.of(connection(), me.id)
        if log_in.must_set_up:
            return self.show("second_factor_needed", title=_("A second factor first"), factors=factors)
        return self.show(
            "login_safety",
            title=_("Log-in and safety"),
            factors=factors,
            needed=log_in.needs_second_factor,
            sessions=sessions.listed(connection(), me.id),
            mine=log_in.session_id,
        )

    @page("/sessions/<id>/end", SELF, ("POST",))
    def end(self, id: str) -> AnyResponse:
        try:
            with atomic(ALL) as work:
                sessions.end(work, staff().id, parse_id("ses", id), actor=actor())
        except Refusal as refusal:
            say_refused(refusal)
        else:
            say(_("The session has ended."))
        return go(url("login_safety.index"))

    @page("/sessions/end", SELF, ("POST",))
    def end_others(self) -> Any:
        with atomic(ALL) as work:
            ended = sessions.end_others(work, staff().id, my_log_in().session_id, actor=actor())
        say(ngettext("%(num)s session has ended.", "%(num)s sessions have ended.", ended))
        return go(url("login_safety.index"))


SCREEN = LoginSafety

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import login_safety as _me

    _check: ScreenModule = _me
