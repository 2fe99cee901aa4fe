"""`/pay/<token>/result`: what became of the payment, and the way back to the shop."""

from typing import TYPE_CHECKING, Any

from hosted_pages.kinds import Page
from hosted_pages.paper import move_on, page
from hosted_pages.standing import PLACE, Standing
from hosted_pages.visit import arrive

PATH = "/pay/<token>/result"
VERBS = ("GET",)

_TEMPLATES = {
    Standing.PAID: "paid.html",
    Standing.PENDING: "pending.html",
    Standing.REVERSED: "reversed.html",
    Standing.CANCELLED: "cancelled.html",
    Standing.EXPIRED: "expired.html",
}
assert set(_TEMPLATES) == {standing for standing, place in PLACE.items() if place == "/result"}


def answer(token: str) -> Any:
    visit = arrive(token)
    if visit.standing not in _TEMPLATES:
        return move_on(visit.here())
    return page(_TEMPLATES[visit.standing], visit)


if TYPE_CHECKING:
    from hosted_pages.pages import result as _me

    _: Page = _me
