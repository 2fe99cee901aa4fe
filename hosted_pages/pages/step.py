"""`/pay/<token>/step/<name>`: what a risk check wants to know before the payer pays."""

from typing import TYPE_CHECKING, Any

from flask import request

from app.core.errors import NotFound
from app.payments.checkout import CheckoutClosed
from app.payments.take_step import needed, take_step
from app.risk.steps import STEPS
from hosted_pages.forms import PageForm, Purpose, asking_form, fill
from hosted_pages.kinds import Page
from hosted_pages.paper import move_on, page
from hosted_pages.standing import Standing
from hosted_pages.visit import Visit, arrive

PATH = "/pay/<token>/step/<name>"
VERBS = ("GET", "POST")


def answer(token: str, name: str) -> Any:
    visit = arrive(token)
    if name not in STEPS:
        raise NotFound()
    if visit.standing not in (Standing.OPEN, Standing.DECLINED, Standing.ACTION):
        return move_on(visit.here())
    purpose = Purpose(visit.token, f"step/{name}")
    if request.method == "POST":
        return _take(visit, name, asking_form(STEPS[name], purpose, request.form))
    if needed(visit.opened, request.args.get("method", ""), request.remote_addr) != name:
        return move_on(_on(visit))
    form = asking_form(STEPS[name], purpose)
    fill(form, STEPS[name], {"name": visit.opened.payment["payer_name"] or ""}, {})
    return _shown(visit, name, form)


def _take(visit: Visit, name: str, form: PageForm) -> Any:
    step = STEPS[name]
    form.validate()
    taken = step.read({field.name: request.form.get(field.name, "")[:200] for field in step.FIELDS}, visit.today)
    fill(form, step, taken.keep, {} if form.seal_problem else taken.wrong)
    if form.seal_problem or taken.wrong:
        return _shown(visit, name, form, 422)
    try:
        take_step(visit.opened, name, taken.answer)
    except CheckoutClosed:
        return move_on(arrive(visit.token).here())
    return move_on(_on(visit))


def _on(visit: Visit) -> str:
    """Back to the payment, and to the way to pay that the payer had chosen."""
    method = request.args.get("method")
    return visit.to(method=method) if method else visit.to()


def _shown(visit: Visit, name: str, form: PageForm, status: int = 200) -> Any:
    step = STEPS[name]
    wrong = [field.name for field in step.FIELDS if form[field.name].errors]
    method = request.args.get("method")
    target = visit.to(f"/step/{name}", **({"method": method} if method else {}))
    return page("step.html", visit, status, step=step, form=form, wrong=wrong, target=target, problem=form.seal_problem)


if TYPE_CHECKING:
    from hosted_pages.pages import step as _me

    _: Page = _me
