"""The API of the Stripe stand-in."""

import re
import time
from datetime import UTC, datetime

from flask import request

from sandbox.stand_in import Thing
from sandbox.stripe import blueprint, disputes, intents
from sandbox.stripe.answers import api, asked, book, found
from sandbox.stripe.book import Refused, invalid, new_id
from sandbox.stripe.cards import card_of

_KINDS = "any(payment_intents, setup_intents)"
_MAY_CHANGE = (
    "amount",
    "customer",
    "description",
    "payment_method",
    "setup_future_usage",
    "capture_method",
    "currency",
)


@blueprint.get("/v1/balance")
@api
def balance() -> Thing:
    return {"object": "balance", "livemode": False, "available": [], "pending": []}


@blueprint.post("/v1/customers")
@api
def create_customer() -> Thing:
    customer = {"id": new_id("cus"), "object": "customer", "metadata": asked().get("metadata", {})}
    return book().store.put("customers", customer["id"], customer)


@blueprint.post("/v1/payment_methods")
@api
def create_method() -> Thing:
    """Only the last four digits and the name of the test card are kept."""
    given = asked()
    raw = given.get("card", {})
    card = card_of(raw.get("number", ""))
    if card is None:
        raise Refused(402, "card_error", "incorrect_number", param="number")
    expires = (int(raw.get("exp_year", 0)), int(raw.get("exp_month", 0)))
    today = datetime.now(UTC)
    if not 1 <= expires[1] <= 12 or expires < (today.year, today.month):
        raise Refused(402, "card_error", "invalid_expiry_year", param="exp_year")
    public = {"brand": card.brand, "country": card.country, "funding": card.funding, "last4": raw["number"][-4:]}
    method = {
        "id": new_id("pm"),
        "object": "payment_method",
        "type": "card",
        "card": {**public, "exp_month": expires[1], "exp_year": expires[0]},
        "customer": None,
        "_card": card.name,
    }
    return book().store.put("payment_methods", method["id"], method)


@blueprint.post("/v1/payment_intents")
@api
def create_payment_intent() -> Thing:
    given = asked()
    amount = given.get("amount", "")
    if not amount.isdigit() or not int(amount):
        raise invalid("parameter_invalid_integer", param="amount")
    if given.get("currency", "").upper() in ("BHD", "JOD", "KWD", "OMR", "TND") and int(amount) % 10:
        raise invalid("invalid_charge_amount", "Three-decimal amounts end with 0.", param="amount")
    intent = {
        "id": new_id("pi"),
        "object": "payment_intent",
        "amount": int(amount),
        "amount_capturable": 0,
        "amount_received": 0,
        "cancellation_reason": None,
        "capture_method": given.get("capture_method", "automatic"),
        "created": int(time.time()),
        "currency": given["currency"].lower(),
        "customer": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "setup_future_usage": None,
        "status": "requires_payment_method",
    }
    book().store.put("payment_intents", intent["id"], intent)
    return _change("payment_intents", intent, given)


@blueprint.post("/v1/setup_intents")
@api
def create_setup_intent() -> Thing:
    given = asked()
    setup = {
        "id": new_id("seti"),
        "object": "setup_intent",
        "created": int(time.time()),
        "customer": given.get("customer"),
        "last_setup_error": None,
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
        "usage": given.get("usage", "off_session"),
    }
    return book().store.put("setup_intents", setup["id"], setup)


@blueprint.get("/v1/payment_intents/search")
@api
def search() -> Thing:
    match = re.fullmatch(r"metadata\['(\w+)'\]:'(.*)'", asked().get("query", ""))
    if match is None:
        raise invalid(None, "The sandbox searches metadata only.")
    name, value = match.groups()
    hits = [one for one in book().store.all("payment_intents") if one["metadata"].get(name) == value]
    return {"object": "search_result", "data": hits, "has_more": False}


@blueprint.get(f"/v1/<{_KINDS}:kind>/<key>")
@api
def read_intent(kind: str, key: str) -> Thing:
    return _expanded(found(kind, key))


@blueprint.post("/v1/payment_intents/<key>")
@api
def update_intent(key: str) -> Thing:
    intent = found("payment_intents", key)
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise invalid("payment_intent_unexpected_state", payment_intent=intent)
    return _change("payment_intents", intent, asked())


@blueprint.post(f"/v1/<{_KINDS}:kind>/<key>/confirm")
@api
def confirm(kind: str, key: str) -> Thing:
    intent = found(kind, key)
    if intent["status"] in ("requires_payment_method", "requires_confirmation"):
        intent = _change(kind, intent, asked())
    acs = f"{request.url_root}stripe/acs/{key}"
    return _expanded(intents.confirm(book(), kind, intent, asked(), acs))


@blueprint.post("/v1/payment_intents/<key>/capture")
@api
def capture(key: str) -> Thing:
    intent = found("payment_intents", key)
    intent["metadata"] |= asked().get("metadata", {})
    return _expanded(intents.capture(book(), intent, int(asked().get("amount_to_capture", intent["amount"]))))


@blueprint.post(f"/v1/<{_KINDS}:kind>/<key>/cancel")
@api
def cancel(kind: str, key: str) -> Thing:
    return intents.cancel(book(), kind, found(kind, key), asked().get("cancellation_reason"))


@blueprint.post("/v1/refunds")
@api
def create_refund() -> Thing:
    return disputes.refund(book(), asked())


@blueprint.get("/v1/refunds")
@api
def list_refunds() -> Thing:
    wanted = asked().get("payment_intent")
    mine = [one for one in reversed(book().store.all("refunds")) if one["payment_intent"] == wanted]
    return {"object": "list", "data": mine, "has_more": False}


@blueprint.get("/v1/refunds/<key>")
@api
def read_refund(key: str) -> Thing:
    return found("refunds", key)


def _change(kind: str, intent: Thing, given: Thing) -> Thing:
    intent |= {name: given[name] for name in _MAY_CHANGE if given.get(name)}
    if given.get("amount"):
        intent["amount"] = int(given["amount"])
    intent["metadata"] |= given.get("metadata", {})
    if intent["payment_method"]:
        method = found("payment_methods", intent["payment_method"])
        if method["customer"] not in (None, intent["customer"]):
            raise invalid("payment_method_unexpected_state", "The payment method belongs to another customer.")
        intent["status"] = "requires_confirmation"
    return book().store.put(kind, intent["id"], intent)


def _expanded(thing: Thing) -> Thing:
    """Follows `expand[]`, as far as it is used here."""
    kinds = {"latest_charge": "charges", "payment_method": "payment_methods"}
    for path in asked().get("expand", []):
        name, _, deeper = path.partition(".")
        inner = book().store.get(kinds.get(name, ""), thing.get(name))
        if inner and deeper:
            inner = {**inner, deeper: book().store.get(f"{deeper}s", inner.get(deeper))}
        if inner:
            thing = {**thing, name: inner}
    return thing
