"""What a test or a person may order at the Stripe stand-in: `POST /stripe/_control` with any of

* `"webhook_url"`, `"webhook_secret"`, `"secret_key"`: where events go and which keys count (kept in memory only)
* `"next": "garbled" | "silence" | "timeout_after_success" | "unknown_word" | "down" | "rate_limit" | "busy" | "refuse"`
  with `"on"` (part of "METHOD path"), `"times"` and `"seconds"`; `"release": true` ends all waiting
* `"events": "plain" | "twice" | "held"`
* `"dispute": {"payment_intent": ..., "status": "needs_response", "amount": ..., "reason": ...}`
* `"refund": {"payment_intent": ..., "amount": ...}` (as in Stripe's dashboard), `"refund_ends": {"id", "status"}`
* `"expire": {"payment_intent": ...}`: the authorisation lapses; `"forget_keys": true`: all idempotency keys are pruned
"""

from typing import Any

from flask import jsonify, request

from sandbox.stand_in import Thing
from sandbox.stripe import blueprint, disputes, intents
from sandbox.stripe.answers import book, found
from sandbox.stripe.book import Refused, shown


@blueprint.post("/_control")
def control() -> Any:
    """Answers {name: what came of it}; 400 for an order it does not know."""
    orders = request.get_json()
    with_fault = {"next", "on", "times", "seconds"}
    unknown = set(orders) - set(_DO) - with_fault
    if unknown:
        return jsonify({"error": f"unknown: {', '.join(sorted(unknown))}"}), 400
    try:
        if "next" in orders:
            book().faults.order({name: orders[name] for name in with_fault & set(orders)})
        with book().store.lock:
            return jsonify({name: shown(_DO[name](orders[name])) for name in orders if name in _DO})
    except (KeyError, ValueError, Refused) as error:
        return jsonify({"error": str(error)}), 400


@blueprint.get("/_control/received")
def received() -> Any:
    """Requests as they came over the wire, newest last, without card numbers."""
    return jsonify(list(book().received))


@blueprint.get("/_control/<kind>")
def things(kind: str) -> Any:
    return jsonify([shown(one) for one in book().store.all(kind)])


def _webhook_url(url: str) -> str:
    book().deliveries.change(url=url)
    return url


def _webhook_secret(secret: str) -> str:
    book().webhook_secret = secret
    return "kept in memory"


def _secret_key(key: str) -> str:
    book().secret_key = key
    return "kept in memory"


def _events(style: str) -> str:
    book().deliveries.change(style=style)
    return style


def _release(_: bool) -> str:
    book().faults.release()
    return "released"


def _dispute(order: Thing) -> Thing:
    more = {name: order[name] for name in ("amount", "reason") if name in order}
    return disputes.dispute(book(), order["payment_intent"], order["status"], **more)


def _expire(order: Thing) -> Thing:
    return intents.cancel(book(), "payment_intents", found("payment_intents", order["payment_intent"]), "automatic")


def _forget_keys(_: bool) -> int:
    kept = [answer for answer in book().store.all("answers") if answer]
    for answer in kept:
        book().store.put("answers", answer["key"], {})
    return len(kept)


_DO = {
    "webhook_url": _webhook_url,
    "webhook_secret": _webhook_secret,
    "secret_key": _secret_key,
    "events": _events,
    "release": _release,
    "dispute": _dispute,
    "refund": lambda order: disputes.refund(book(), order),
    "refund_ends": lambda order: disputes.refund_ends(book(), order["id"], order["status"]),
    "expire": _expire,
    "forget_keys": _forget_keys,
}
