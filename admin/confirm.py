"""“Is it you?”: asked before money moves or rights and keys change, when the log-in is a while ago."""

from typing import Any

from flask import Response, request
from flask_babel import gettext as _

from admin.entrance import entrance, onward, show
from admin.here import connection
from admin.present import me, my_log_in
from admin.proof import ProofForm, shown
from admin.screen import go, say
from app.staff import passkeys, second_factor, sessions
from app.staff.permissions import SELF

# A password alone must not be enough to take a second factor away. Who lost theirs logs in with a recovery code.
_WITH_FACTOR, _WITHOUT = frozenset({"code", "credential"}), frozenset({"password"})


@entrance.route("/confirm", methods=["GET", "POST"])
def confirm() -> Any:
    user, form = me(), ProofForm()
    factors = second_factor.of(connection(), user.id)
    if form.validate_on_submit():
        how = shown(form, user, takes=_WITH_FACTOR if factors.any else _WITHOUT)
        if how:
            sessions.confirm(user.id, my_log_in().session_id, how)
            return go(_back())
    return show(
        "confirm", title=_("Is it you?"), form=form, factors=factors, email=user.email, back=onward(_asked_from())
    )


@entrance.get("/confirm/options")
def confirm_options() -> Response:
    return Response(passkeys.to_ask(connection(), me().id), mimetype="application/json")


def _asked_from() -> str | None:
    return request.args.get("next")


def _back() -> str:
    """To where they were stopped. What was sent there is shown again, not done: one look before money moves."""
    back, typed = onward(_asked_from()), request.args.get("typed")
    if request.args.get("sent"):
        say(_("Thank you. Nothing was done yet: check it and send it again."), "calm")
    if not typed:
        return back
    return f"{back}{'&' if '?' in back else '?'}kept={typed}"


confirm.permission = confirm_options.permission = SELF  # type: ignore[attr-defined]  # guard.py reads it
