"""What became of an action, as the message on the next page."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from admin import formats
from admin.screen import say
from app.core.texts import N_
from app.payments.perform import Done

_DONE = {
    "capture": N_("%(amount)s captured."),
    "refund": N_("%(amount)s refunded."),
    "cancel": N_("%(amount)s cancelled."),
}
_PENDING = {
    "capture": N_("The provider has the capture of %(amount)s and will tell how it ended."),
    "refund": N_("The provider has the refund of %(amount)s and will tell how it ended."),
    "cancel": N_("The provider has the cancellation of %(amount)s and will tell how it ended."),
}
_DECLINED = {
    "capture": N_("The provider refused to capture %(amount)s: %(why)s. Nothing was taken."),
    "refund": N_("The provider refused to refund %(amount)s: %(why)s. Nothing went back."),
    "cancel": N_("The provider refused to cancel %(amount)s: %(why)s. The money is still reserved."),
}


def tell_outcome(verb: str, done: Done) -> None:
    """One sentence: what moved, what did not, or that nobody knows yet."""
    operation = done.operation
    if not operation or operation["kind"] == "authorise":  # cancelling closed it, and nobody was called
        say(_("The attempt is closed."))
        return
    state = operation["state"]
    moved = operation["booked_amount"] if operation["booked_amount"] is not None else operation["amount"]
    if state != "succeeded" and operation["booked_amount"]:
        _tell_part(operation)
        return
    values = {"amount": formats.money(moved if state == "succeeded" else operation["amount"], operation["currency"])}
    if state == "succeeded":
        say(_(_DONE[verb], **values))
    elif state == "declined":
        why = formats.code(operation["code"]) or _("no reason given")
        say(_(_DECLINED[verb], why=why, **values), "bad")
    elif state == "pending_approval":
        say(_("Asked for. %(amount)s is kept aside until somebody else has decided.", **values), "wait")
    elif state == "failed":
        say(_("The provider could not be reached. Nothing was sent; try again."), "bad")
    elif state == "unknown":
        say(
            _("No clear answer from the provider. It is asked again until it is known; the amount stays reserved."),
            "wait",
        )
    else:
        say(_(_PENDING[verb], **values), "wait")


def _tell_part(refund: Mapping[str, Any]) -> None:
    """Of a refund over several captures a part went back, and the rest did not, or not yet."""
    amounts = {
        "moved": formats.money(refund["booked_amount"], refund["currency"]),
        "amount": formats.money(refund["amount"], refund["currency"]),
    }
    if refund["state"] == "declined":
        why = formats.code(refund["code"]) or _("no reason given")
        say(_("%(moved)s of %(amount)s refunded. The provider refused the rest: %(why)s.", why=why, **amounts), "bad")
    elif refund["state"] == "failed":
        say(_("%(moved)s of %(amount)s refunded. The rest was not sent; try again.", **amounts), "bad")
    else:
        say(_("%(moved)s of %(amount)s refunded. How the rest ended is not known yet.", **amounts), "wait")
