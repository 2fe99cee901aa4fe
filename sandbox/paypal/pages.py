"""The pages of the PayPal stand-in: where a payer approves, and what it has on its books."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import abort, g, make_response, redirect, render_template, request, url_for

from sandbox.paypal import blueprint
from sandbox.paypal.answers import Refused, base, books, webhooks
from sandbox.paypal.api import PAYERS
from sandbox.paypal.books import Thing
from sandbox.paypal.control import DO

_EFFECTS = {
    None: "pays",
    "INSTRUMENT_DECLINED": "the payment is declined",
    "PENDING": "PayPal holds the payment for review",
    "PAYER_ACCOUNT_RESTRICTED": "the account is restricted",
}


@blueprint.get("/checkoutnow")
def approve_order() -> Any:
    order = books().get("orders", request.args.get("token", "")) or abort(404)
    return _approval_page(order, order["purchase_units"][0])


@blueprint.post("/checkoutnow")
def order_approved() -> Any:
    with books().lock:
        order = books().get("orders", request.args.get("token", "")) or abort(404)
        context, payer = order["_context"], request.form.get("payer", "ok")
        if request.form.get("choice") != "pay":
            return redirect(_with(context["cancel_url"], token=order["id"]), 303)
        if order["status"] in ("CREATED", "PAYER_ACTION_REQUIRED") and payer in PAYERS:
            g.client = order["_owner"]
            order = books().put("orders", order["id"], {**order, "status": "APPROVED", "_payer": payer})
            webhooks().tell(order["_owner"], base(), "CHECKOUT.ORDER.APPROVED", "checkout-order", order)
    return redirect(
        _with(context["return_url"], token=order["id"], PayerID=PAYERS.get(payer, PAYERS["ok"])["account"]), 303
    )


@blueprint.get("/agreements/approve")
def approve_agreement() -> Any:
    setup = books().get("setup_tokens", request.args.get("approval_session_id", "")) or abort(404)
    return _approval_page(setup, None)


@blueprint.post("/agreements/approve")
def agreement_approved() -> Any:
    with books().lock:
        setup = books().get("setup_tokens", request.args.get("approval_session_id", "")) or abort(404)
        context, payer = setup["_context"], request.form.get("payer", "ok")
        tokens = {"approval_token_id": setup["id"], "approval_session_id": setup["id"]}
        if request.form.get("choice") != "pay":
            return redirect(_with(context["cancel_url"], **tokens), 303)
        if setup["status"] == "PAYER_ACTION_REQUIRED" and payer in PAYERS:
            books().put("setup_tokens", setup["id"], {**setup, "status": "APPROVED", "_payer": payer})
    return redirect(_with(context["return_url"], **tokens), 303)


def _approval_page(thing: Thing, unit: Thing | None) -> Any:
    open_still = thing["status"] in ("CREATED", "PAYER_ACTION_REQUIRED")
    page = make_response(
        render_template(
            "paypal/approve.html",
            thing=thing,
            unit=unit,
            reference=unit.get("invoice_id", "").split("|")[0] if unit else None,
            payers=[(key, payer["name"], payer["email"], _EFFECTS[payer["effect"]]) for key, payer in PAYERS.items()],
            open_still=open_still,
        )
    )
    page.headers["X-Frame-Options"] = "DENY"  # as PayPal does: this page takes the whole window
    return page


@blueprint.get("/")
def overview() -> Any:
    newest = list(reversed(books().all("orders")))[:30]
    captures = list(reversed(books().all("captures")))[:30]
    deliveries = {one["event"]: one for one in books().all("deliveries")}
    events = [(one, deliveries.get(one["id"])) for one in reversed(books().all("events"))][:30]
    disputes = list(reversed(books().all("disputes")))[:30]
    return render_template("paypal/overview.html", orders=newest, captures=captures, events=events, disputes=disputes)


@blueprint.post("/_do/<name>")
def do(name: str) -> Any:
    """The overview's buttons: a control order as a form."""
    if name not in ("dispute", "dispute_moves", "portal_refund", "reverse", "resend"):
        abort(404)
    try:
        with books().lock:
            DO[name](request.form.to_dict())
    except (KeyError, Refused):
        abort(409)
    return redirect(url_for("paypal.overview"), 303)


def _with(url: str, **parameters: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *parameters.items()])))
