"""`/pay/<token>`: the payer chooses how to pay and presses the button."""

from typing import TYPE_CHECKING, Any

from flask import request

from app.core.errors import Refusal
from app.core.idempotency import Repeated
from app.core.texts import N_
from app.methods import METHODS
from app.methods.kinds import Given
from app.payments import checkout
from app.payments.attempt import Means
from app.payments.authorise import AlreadyPaid, AttemptUnderWay, StepNeeded
from app.payments.checkout import CheckoutClosed
from app.payments.take_step import needed
from app.receivables.collect import BeingCollected, LessDue, NothingDue
from hosted_pages import words
from hosted_pages.forms import PageForm, Purpose, asking_form, fill
from hosted_pages.kinds import Page
from hosted_pages.paper import move_on, page
from hosted_pages.standing import Standing
from hosted_pages.visit import Visit, arrive

PATH = "/pay/<token>"
VERBS = ("GET", "POST")

MOST_ATTEMPTS = 15  # nobody mistypes more often; who tries out stolen cards does

NOTICES = {
    "expired": N_("For your safety this form is good for two hours. Please check everything and send it again."),
    "wrong": N_("The form did not arrive completely. Please check everything and send it again."),
    "stale": N_("That was an older copy of this page. Nothing was sent a second time."),
    "elsewhere": N_("This order is being paid in another way just now. Please finish that first."),
    "paid": N_("This order is already paid. Nothing more has to be done."),
    "less": N_("Part of this has been paid meanwhile. Please check the amount and pay the rest."),
    "too_often": N_("Too many attempts have failed. Please start again in the shop."),
    "not_possible": N_("This way to pay is not possible at the moment. Please choose another one."),
}


def answer(token: str) -> Any:
    visit = arrive(token)
    offered = _offered(visit)
    if request.method == "POST":
        return _take(visit, offered)
    if visit.standing is Standing.ACTION and "again" not in request.args:
        return page("confirm_open.html", visit)
    if visit.standing not in (Standing.OPEN, Standing.DECLINED, Standing.ACTION):
        return move_on(visit.here())
    name = _chosen(offered, request.args.get("method"))
    if name and (step := needed(visit.opened, name, request.remote_addr)):
        return move_on(visit.to(f"/step/{step}", method=name))
    notice = request.args.get("notice")
    return _form_page(visit, offered, name, notice=notice if notice in NOTICES else None, declined=_declined(visit))


def _take(visit: Visit, offered: list[str]) -> Any:
    """The button was pressed. Every way through ends in a redirect, or in the form with what was wrong."""
    name = _chosen(offered, request.form.get("method"))
    if name is None:
        return _form_page(visit, offered, None, status=422)
    method = METHODS[name]
    form = asking_form(method, Purpose(visit.token, name, visit.next_attempt), request.form)
    form.validate()
    given = method.read({field.name: request.form.get(field.name, "")[:200] for field in method.FIELDS}, visit.today)
    fill(form, method, given.keep, given.wrong)
    if form.seal_problem:
        fill(form, method, given.keep, {})
        return _form_page(visit, offered, name, form, notice=form.seal_problem, status=422)
    if visit.standing not in (Standing.OPEN, Standing.DECLINED, Standing.ACTION):
        return move_on(visit.here())
    if form.pressed_attempt != visit.next_attempt:  # pressed twice, or an old copy of the page
        return move_on(_after_a_repetition(visit))
    if visit.next_attempt > MOST_ATTEMPTS:
        return _form_page(visit, offered, name, status=409)
    if given.wrong:
        return _form_page(visit, offered, name, form, status=422)
    return _pay(visit, offered, name, form, given)


def _pay(visit: Visit, offered: list[str], name: str, form: PageForm, given: Given) -> Any:
    means = Means(
        method=name,
        card=given.card,
        ip_address=request.remote_addr,
        user_agent=request.user_agent.string[:300] or None,
    )
    try:
        checkout.pay(visit.opened, means, attempt=form.pressed_attempt, language=visit.lang)
    except (Repeated, AttemptUnderWay, AlreadyPaid, CheckoutClosed):
        return move_on(_after_a_repetition(arrive(visit.token)))
    except LessDue:
        return move_on(visit.to(notice="less"))
    except NothingDue:
        return _form_page(visit, offered, name, form, notice="paid", status=409)
    except BeingCollected:
        return _form_page(visit, offered, name, form, notice="elsewhere", status=409)
    except StepNeeded as asked:  # this very card raised a question
        return move_on(visit.to(f"/step/{asked.decision.step}", method=name))
    except Refusal:  # no contract takes it
        return _form_page(visit, offered, name, form, notice="not_possible", status=409)
    return move_on(arrive(visit.token).here())


def _after_a_repetition(visit: Visit) -> str:
    """Where things stand; a payer who meant to try again hears why nothing was sent."""
    if visit.standing in (Standing.OPEN, Standing.DECLINED):
        return visit.to(notice="stale")
    return visit.here()


def _form_page(
    visit: Visit,
    offered: list[str],
    name: str | None,
    form: PageForm | None = None,
    *,
    notice: str | None = None,
    declined: str | None = None,
    status: int = 200,
) -> Any:
    """`notice`: key of NOTICES. `declined`: code of the failed attempt, if the page is to say so."""
    if visit.next_attempt > MOST_ATTEMPTS:
        name, notice = None, "too_often"
    method = METHODS[name] if name else None
    if method and name and form is None:
        form = asking_form(method, Purpose(visit.token, name, visit.next_attempt))
        if declined in words.AT_FIELD and words.AT_FIELD[declined] in form:
            fill(form, method, {}, {words.AT_FIELD[declined]: words.reason(declined)})
    wrong = [field.name for field in method.FIELDS if form and form[field.name].errors] if method else []
    return page(
        "checkout.html",
        visit,
        status,
        offered=offered,
        chosen=name,
        method=method,
        form=form,
        again={"again": "1"} if visit.standing is Standing.ACTION else {},
        wrong=wrong,
        notice=NOTICES[notice] if notice else None,
        declined=words.reason(declined) if declined else None,
    )


def _offered(visit: Visit) -> list[str]:
    taken = checkout.methods(visit.opened)
    return sorted((name for name in METHODS if name in taken), key=lambda name: METHODS[name].ORDER)


def _chosen(offered: list[str], wanted: str | None) -> str | None:
    return wanted if wanted in offered else offered[0] if offered else None


def _declined(visit: Visit) -> str | None:
    return (visit.attempt["code"] or "declined") if visit.attempt and visit.standing is Standing.DECLINED else None


if TYPE_CHECKING:
    from hosted_pages.pages import checkout as _me

    _: Page = _me
