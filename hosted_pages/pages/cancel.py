"""`/pay/<token>/cancel`: the payer wants to leave; asks once, then closes the checkout."""

from typing import TYPE_CHECKING, Any

from flask import request

from app.payments.abandon import abandon
from app.payments.authorise import AlreadyPaid, AttemptUnderWay
from app.payments.checkout import CheckoutClosed
from hosted_pages.forms import Purpose, sealed_form
from hosted_pages.kinds import Page
from hosted_pages.paper import move_on, page
from hosted_pages.standing import Standing
from hosted_pages.visit import Visit, arrive

PATH = "/pay/<token>/cancel"
VERBS = ("GET", "POST")


def answer(token: str) -> Any:
    visit = arrive(token)
    if visit.standing not in (Standing.OPEN, Standing.DECLINED, Standing.ACTION):
        return move_on(visit.here())
    form = sealed_form(Purpose(visit.token, "cancel"), request.form if request.method == "POST" else None)
    if request.method == "POST" and form.validate():
        return _leave(visit)
    return page("cancel.html", visit, 422 if form.seal_problem else 200, form=form, problem=form.seal_problem)


def _leave(visit: Visit) -> Any:
    try:
        abandon(visit.opened)
    except (AttemptUnderWay, AlreadyPaid, CheckoutClosed):
        pass  # the next page says how things stand
    return move_on(arrive(visit.token).here())


if TYPE_CHECKING:
    from hosted_pages.pages import cancel as _me

    _: Page = _me
