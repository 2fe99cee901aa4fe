"""`/pay/<token>/wait`: a bank is being asked, or the payer is sent on to confirm somewhere else.

Holds no thread: it looks once and answers. Scripts ask it with `Accept: application/json` which page
would be right now; without scripts the page loads itself again.
"""

from typing import TYPE_CHECKING, Any

from flask import g, jsonify, request

from hosted_pages.kinds import Page
from hosted_pages.paper import move_on, origin_of, page
from hosted_pages.standing import Standing
from hosted_pages.visit import Visit, arrive

PATH = "/pay/<token>/wait"
VERBS = ("GET",)


def answer(token: str) -> Any:
    visit = arrive(token, shared=True)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(standing=visit.standing, next=visit.here())
    if visit.standing is not Standing.WAITING:
        visit = arrive(token)  # what moves a payer on must not be old
    if visit.standing is Standing.WAITING:
        return page("waiting.html", visit)
    if visit.standing is Standing.ACTION:
        return _hand_over(visit)
    return move_on(visit.here())


def _hand_over(visit: Visit) -> Any:
    """Sends the payer to the bank or to PayPal: at once in this window, or by a link that takes the whole one."""
    assert visit.attempt
    action = visit.attempt["action"]
    target = origin_of(action["url"])
    if not target.startswith(("https://", "http://")):
        return move_on(visit.to(again="1"))
    g.form_targets = (target,)
    return page("hand_over.html", visit, action=action, here=action["framable"] or not visit.embed)


if TYPE_CHECKING:
    from hosted_pages.pages import wait as _me

    _: Page = _me
