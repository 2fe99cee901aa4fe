"""What the present user may do alone, and what a second person has to approve: said before it is asked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from admin import formats
from admin.effects import Effect
from admin.here import connection, staff
from admin.office import url
from admin.screen import go, say
from app.approvals import ask as asking
from app.approvals.approvers import approvers
from app.approvals.kinds import Asker, asker_of
from app.payments.permit import Permit


def asker() -> Asker:
    return asker_of(staff())


def permit(reason: str) -> Permit:
    """For the payment verbs."""
    return asking.permit(asker(), reason=reason)


def foreseen(effect: Effect, payment: Mapping[str, Any], kind: str, minor: int, rest: int = 0) -> Effect:
    """The effect of asking, where doing it is not up to this user alone. `rest`: what is given back besides."""
    if not effect.ok or not minor:
        return effect
    why = asking.reasons(connection(), asker(), payment, kind, minor, rest=rest)
    if why is None:
        return effect
    try:
        asking.time_left(connection(), kind, payment)
    except asking.TooLateToAsk as late:
        said = f"{formats.said(late.message)} {formats.said(late.advice)}"
        return replace(effect, sentence=f"{because(why)} {said}", ok=False, warn=False)
    others = approvers(connection(), asking.draft(asker(), payment, kind, minor, rest))
    sentence = f"{effect.sentence} {because(why)} {_who(len(others))}"
    return replace(effect, sentence=sentence, button=_("Ask for approval"), ok=bool(others), warn=False)


def because(why: Mapping[str, Any]) -> str:
    """Why it needs approval, in a sentence."""
    if why.get("limit") is not None:
        limit = formats.money(why["limit"], why["currency"])
        if why["kind"] == "daily":
            return _("With this it would be more than the %(limit)s a day that may be done alone.", limit=limit)
        return _("That is more than the %(limit)s that may be done alone.", limit=limit)
    if why.get("above") is not None:
        above = formats.money(why["above"], why["currency"])
        return _("Above %(amount)s a second person has to approve it.", amount=above)
    return _("A second person has to approve it.")


def ask_or_do(
    work: Any,
    action: str,
    *,
    merchant_id: UUID | None,
    live: bool | None,
    subject_id: UUID,
    params: Mapping[str, Any],
    secrets: Mapping[str, Any] | None = None,
    always: bool = False,
) -> bool:
    """True: it was asked for, in the open transaction. False: no rule says so, do it there yourself.

    `secrets`: parameters that nobody may read. `always`: whatever the rules say. Raises NobodyCanApprove, AlreadyAsked.
    """
    whose = {"merchant_id": merchant_id, "live": live, "subject_id": subject_id}
    more = {"params": params, "secrets": secrets, "always": always}
    return asking.ask(work, action, asker(), **whose, **more) is not None


def asked_for() -> AnyResponse:
    """To the requests of whoever asked, if they may see any."""
    say(_("Asked for. It is done as soon as somebody else has approved it."), "wait")
    return go(url("approvals.index", view="mine") if staff().may("approval.read") else url("start.index"))


def _who(count: int) -> str:
    if not count:
        return _("Nobody else may approve it: have somebody granted the right first.")
    return ngettext("%(num)s other person can approve it.", "%(num)s others can approve it.", count)
