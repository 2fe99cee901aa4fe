"""What a test or a person may order at the Adyen stand-in: `POST /adyen/_control` with any of

* `"webhook_url"`, `"hmac_key"`, `"api_key"`, `"news_login"`: where notifications go, which keys count (only in memory)
* `"next": "garbled" | "silence" | "timeout_after_success" | "unknown_word" | "down" | "rate_limit" | "busy" | "refuse"`
  with `"on"` (part of "METHOD path"), `"times"` and `"seconds"`; `"release": true` ends all waiting
* `"news": "plain" | "twice" | "held"`, `"tokens_later": true` (answers carry no token)
* `"tell": {"payment": <pspReference>, "event": "CHARGEBACK", "value": ..., "additionalData": {...}, ...}`: any
  notification about a payment, such as disputes, CAPTURE_FAILED, EXPIRE; other fields override those of the item
"""

from typing import Any

from flask import jsonify, request

from sandbox.adyen import blueprint
from sandbox.adyen.answers import book
from sandbox.adyen.book import new_psp
from sandbox.stand_in import Thing

_FAULT = {"next", "on", "times", "seconds"}
_ABOUT_THE_PAYMENT = ("AUTHORISATION", "EXPIRE")
_KEPT_IN_MEMORY = ("hmac_key", "api_key", "news_login")


@blueprint.post("/_control")
def control() -> Any:
    """Answers {name: what came of it}; 400 for an order it does not know."""
    orders = request.get_json()
    unknown = set(orders) - set(_DO) - _FAULT - set(_KEPT_IN_MEMORY)
    if unknown:
        return jsonify({"error": f"unknown: {', '.join(sorted(unknown))}"}), 400
    try:
        if "next" in orders:
            book().faults.order({name: orders[name] for name in _FAULT & set(orders)})
        with book().store.lock:
            for name in set(_KEPT_IN_MEMORY) & set(orders):
                setattr(book(), name, orders[name])
            return jsonify({name: _DO[name](orders[name]) for name in orders if name in _DO})
    except (KeyError, ValueError) as error:
        return jsonify({"error": str(error)}), 400


@blueprint.get("/_control/received")
def received() -> Any:
    """Requests as they came over the wire, newest last, without card numbers."""
    return jsonify(list(book().received))


@blueprint.get("/_control/<kind>")
def things(kind: str) -> Any:
    return jsonify(book().store.all(kind))


def _webhook_url(url: str) -> str:
    book().deliveries.change(url=url)
    return url


def _news(style: str) -> str:
    book().deliveries.change(style=style)
    return style


def _release(_: bool) -> str:
    book().faults.release()
    return "released"


def _tokens_later(wanted: bool) -> bool:
    book().store.put("quirks", "tokens_later", {"wanted": True} if wanted else {})
    return wanted


def _tell(order: Thing) -> str:
    payment = book().store.get("payments", order["payment"])
    if payment is None:
        raise KeyError(order["payment"])
    event = order["event"]
    fields = {name: value for name, value in order.items() if name not in ("payment", "event", "value")}
    if event not in _ABOUT_THE_PAYMENT:
        fields = {"pspReference": new_psp(), "originalReference": payment["psp"], **fields}
    book().notify(event, {**payment, "value": order.get("value", payment["value"])}, **fields)
    return fields.get("pspReference", payment["psp"])


_DO = {
    "webhook_url": _webhook_url,
    "news": _news,
    "release": _release,
    "tokens_later": _tokens_later,
    "tell": _tell,
}
