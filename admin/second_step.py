"""The second step of a log-in: after the right password, a code, a passkey or a recovery code. And the log-in with a
passkey alone, which is both steps in one."""

import time
from typing import Any

from flask import Response, after_this_request, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security.tf_plugin import TfPlugin
from flask_security.utils import login_user
from werkzeug.wrappers import Response as AnyResponse

from admin.entrance import entrance, onward, said, show
from admin.here import connection
from admin.proof import ProofForm, begun, shown
from admin.screen import go, say
from app.core.db import ALL, atomic
from app.core.errors import Refusal
from app.staff import lock, passkeys, second_factor
from app.staff.datastore import StaffDatastore
from app.staff.models import User

_HALF = "half"  # in the session: whose password was right, when, and where they wanted to go
_HALF_SECONDS = 600


class SecondStep(TfPlugin):
    """Flask-Security asks it after a right password: None, or where the second step is made."""

    def tf_enter(
        self, user: Any, remember_me: bool | None, primary_authn_via: str, next_loc: str | None
    ) -> AnyResponse | None:
        if not second_factor.of(connection(), user.id).any:
            return None
        session[_HALF] = {"login": user.fs_uniquifier, "at": int(time.time()), "next": next_loc or ""}
        return go(url_for("entrance.second_step"))


@entrance.route("/login/second", methods=["GET", "POST"])
def second_step() -> Any:
    user = _half_in()
    if user is None:
        return go(url_for("security.login"))
    factors, form = second_factor.of(connection(), user.id), ProofForm()
    takes = frozenset({"code", "recovery", "credential"})
    if form.validate_on_submit():
        how = shown(form, user, takes=takes)
        if how:
            return _complete(user, ["password", how])
    by_recovery = "recovery" in request.values
    return show("second_step", title=_("Second step"), form=form, factors=factors, by_recovery=by_recovery)


@entrance.get("/login/second/options")
def second_step_options() -> Any:
    user = _half_in()
    return _options(passkeys.to_ask(connection(), user.id) if user else "{}")


@entrance.get("/login/passkey")
def passkey_options() -> Any:
    return _options(passkeys.to_ask())


@entrance.post("/login/passkey")
def passkey() -> Any:
    """A passkey alone: who it is stands in it, and the device has asked for more than itself."""
    answer, wanted = request.form.get("credential", ""), request.form.get("next")
    try:
        user = _by_passkey(answer)
    except Refusal as refusal:
        lock.failed_from(request.remote_addr or "")
        say(said(refusal), "bad")
        return go(url_for("security.login", next=wanted or None))
    _log_in(user, ["passkey"])
    return go(onward(wanted))


def _by_passkey(answer: str) -> User:
    user_id = passkeys.owner(connection(), answer[:20_000])
    user = StaffDatastore().find_user(id=user_id)
    made = begun(user.email) if user is not None and user.active else ""
    if user is None or isinstance(made, str):
        raise passkeys.PasskeyRefused()
    try:
        with atomic(ALL) as work:
            passkeys.use(work, user.id, answer, asked=None)
    except passkeys.PasskeyRefused:
        lock.failed(made, "passkey")
        raise
    return user


def _half_in() -> User | None:
    """Whose password was right a moment ago in this browser."""
    half = session.get(_HALF)
    if not half or time.time() - half["at"] > _HALF_SECONDS:
        return None
    user = StaffDatastore().find_user(fs_uniquifier=half["login"])
    return user if user is not None and user.active else None


def _complete(user: User, how: list[str]) -> AnyResponse:
    wanted = session.pop(_HALF)["next"]
    _log_in(user, how)
    if "recovery" in how:
        left = second_factor.of(connection(), user.id).codes
        say(
            ngettext(
                "You used a recovery code; %(num)s is left. If your second factor is lost, remove it and add another.",
                "You used a recovery code; %(num)s are left. If your second factor is lost, remove it and add another.",
                left,
            ),
            "wait",
        )
        return go(url_for("office_login_safety.index"))
    return go(onward(wanted))


def _log_in(user: User, how: list[str]) -> None:
    login_user(user, authn_via=how)

    @after_this_request
    def keep(response: Response) -> Response:
        StaffDatastore().write_changes()
        return response


def _options(json: str) -> Response:
    return Response(json, mimetype="application/json")
