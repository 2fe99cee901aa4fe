"""The 3-D Secure page of the Stripe stand-in: works in a frame, without cookies and without JavaScript."""

from typing import Any
from urllib.parse import urlencode

from flask import abort, redirect, request

from sandbox.acs_page import acs_page
from sandbox.stand_in import Thing
from sandbox.stripe import blueprint, intents
from sandbox.stripe.answers import book


def _intent(key: str) -> tuple[str, Thing]:
    kind = "setup_intents" if key.startswith("seti_") else "payment_intents"
    return kind, book().store.get(kind, key) or abort(404)


@blueprint.get("/acs/<key>")
def acs(key: str) -> Any:
    kind, intent = _intent(key)
    amount = f"{intent['amount']} {intent['currency'].upper()}" if kind == "payment_intents" else None
    return acs_page("Stripe", amount, still_open=intent["status"] == "requires_action")


@blueprint.post("/acs/<key>")
def passed(key: str) -> Any:
    """`choice=pass` or anything else; then back to the shop, as Stripe does it."""
    with book().store.lock:
        kind, intent = _intent(key)
        back = ((intent.get("next_action") or {}).get("redirect_to_url") or {}).get("return_url")
        intent["_return_url"] = back or intent.get("_return_url")
        intent = intents.authenticate(book(), kind, intent, request.form.get("choice") == "pass")
    if not intent.get("_return_url"):
        abort(409)
    good = intent["status"] in ("requires_capture", "succeeded")
    names = {kind[:-1]: key, "redirect_status": "succeeded" if good else "failed"}
    joint = "&" if "?" in intent["_return_url"] else "?"
    return redirect(intent["_return_url"] + joint + urlencode(names), 303)
