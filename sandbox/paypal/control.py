"""What a test or a person may order at the PayPal stand-in: `POST /paypal/_control` with one or more of

* `{"next": {"verb": "capture", "do": "garbled", "times": 1, "issue": "...", "seconds": 15}}`: how the next requests of
  a verb (register, authorise, capture, refund, cancel, enquire, webhook, token or *) go: garbled, silence,
  timeout_after_success, unknown_word, decline, server_error, too_many
* `{"webhook": {"client_id": ..., "url": ..., "webhook_id": ...}}`: where a merchant's webhooks go
* `{"dispute": {"capture": ..., "stage": "INQUIRY", "reason": ..., "value": "5.00"}}`,
  `{"dispute_moves": {"dispute": ..., "stage": "CHARGEBACK"}}` or `{..., "outcome": "RESOLVED_BUYER_FAVOUR"}`
* `{"portal_refund": {"capture": ..., "value": "1.00"}}`, `{"reverse": {"capture": ...}}`
* `{"expire": {"authorization": ...}}`, `{"forget_tokens": true}`, `{"resend": {"event": ...}}`
* `{"sign": {"webhook_id": ..., "event_type": ..., "resource": {...}}}`: an event of any kind, signed but not sent;
  with `"hex"` instead: any bytes
"""

import json
from typing import Any

from flask import jsonify, request

from sandbox.paypal import blueprint
from sandbox.paypal.answers import Refused, base, books, forget_tokens, shown, webhooks
from sandbox.paypal.api import refund, void
from sandbox.paypal.books import Thing, new_id, stamp
from sandbox.paypal.vault import register_webhook

ORDERS = (
    "next",
    "webhook",
    "dispute",
    "dispute_moves",
    "portal_refund",
    "reverse",
    "expire",
    "forget_tokens",
    "resend",
)


@blueprint.post("/_control")
def control() -> Any:
    """Answers {name: what came of it}; 400 for a name or a thing it does not know."""
    wanted = request.get_json()
    if not wanted or set(wanted) - set(DO):
        return jsonify({"error": f"one of {', '.join(DO)}"}), 400
    try:
        with books().lock:
            return jsonify({name: DO[name](order) for name, order in wanted.items()})
    except KeyError as missing:
        return jsonify({"error": f"unknown or missing: {missing}"}), 400
    except Refused as refused:
        return refused.response()


@blueprint.get("/_control/amounts")
def amounts() -> Any:
    """The amounts of all requests as they came over the wire, newest last."""
    return jsonify(books().all("wire"))


@blueprint.get("/_control/<kind>")
def things(kind: str) -> Any:
    return jsonify([shown(one) for one in books().all(kind)])


def _next(order: Thing) -> Thing:
    books().misbehaviour.append({"verb": order["verb"], "do": order["do"], "times": 1, **order})
    return order


def _webhook(order: Thing) -> Thing:
    return shown(register_webhook(order["client_id"], order["url"], [{"name": "*"}], order.get("webhook_id")))


def _known(kind: str, key: str) -> Thing:
    thing = books().get(kind, key)
    if thing is None:
        raise KeyError(key)
    return thing


def _dispute(order: Thing) -> Thing:
    capture = _known("captures", order["capture"])
    currency = capture["amount"]["currency_code"]
    dispute = {
        "dispute_id": "PP-D-" + new_id(6),
        "create_time": stamp(),
        "update_time": stamp(),
        "disputed_transactions": [
            {"seller_transaction_id": capture["id"], "invoice_number": capture.get("invoice_id")}
        ],
        "reason": order.get("reason", "MERCHANDISE_OR_SERVICE_NOT_RECEIVED"),
        "status": "OPEN",
        "dispute_amount": {"currency_code": currency, "value": order.get("value", capture["amount"]["value"])},
        "dispute_life_cycle_stage": order.get("stage", "INQUIRY"),
        "dispute_channel": "INTERNAL",
        "seller_response_due_date": stamp(days=10),
        "_owner": capture["_owner"],
    }
    return _tell_dispute(dispute, "CREATED")


def _dispute_moves(order: Thing) -> Thing:
    dispute = {**_known("disputes", order["dispute"]), "update_time": stamp()}
    if "outcome" not in order:
        moved = {**dispute, "dispute_life_cycle_stage": order["stage"], "status": "UNDER_REVIEW"}
        return _tell_dispute(moved, "UPDATED")
    ended = {**dispute, "status": "RESOLVED", "dispute_outcome": {"outcome_code": order["outcome"]}}
    told = _tell_dispute(ended, "RESOLVED")
    if order["outcome"] == "RESOLVED_BUYER_FAVOUR" and dispute["dispute_life_cycle_stage"] != "INQUIRY":
        capture = _known("captures", dispute["disputed_transactions"][0]["seller_transaction_id"])
        refund(capture, dispute["dispute_amount"], {}, "PAYMENT.CAPTURE.REVERSED")
    return told


def _tell_dispute(dispute: Thing, word: str) -> Thing:
    books().put("disputes", dispute["dispute_id"], dispute)
    webhooks().tell(dispute["_owner"], base(), f"CUSTOMER.DISPUTE.{word}", "dispute", dispute)
    return shown(dispute)


def _portal_refund(order: Thing) -> Thing:
    capture = _known("captures", order["capture"])
    amount = {**capture["amount"], "value": order.get("value", capture["amount"]["value"])}
    return shown(refund(capture, amount, {}, "PAYMENT.CAPTURE.REFUNDED"))


def _reverse(order: Thing) -> Thing:
    capture = _known("captures", order["capture"])
    return shown(refund(capture, capture["amount"], {}, "PAYMENT.CAPTURE.REVERSED"))


def _expire(order: Thing) -> Thing:
    return shown(void(_known("authorizations", order["authorization"])))


def _forget_tokens(order: Any) -> bool:
    forget_tokens()
    return bool(order)


def _resend(order: Thing) -> int:
    return webhooks().resend(order["event"])


def _sign(order: Thing) -> Thing:
    event = {key: order.get(key) for key in ("event_type", "resource")}
    body = bytes.fromhex(order["hex"]) if "hex" in order else json.dumps({"id": "WH-" + new_id(), **event}).encode()
    cert_url = f"{base()}/v1/notifications/certs/{webhooks().certificate_name}"
    headers = webhooks().signed(order["webhook_id"], cert_url, body)
    return {"headers": headers, "body": body.decode(errors="replace")}


DO = {
    "next": _next,
    "webhook": _webhook,
    "dispute": _dispute,
    "dispute_moves": _dispute_moves,
    "portal_refund": _portal_refund,
    "reverse": _reverse,
    "expire": _expire,
    "forget_tokens": _forget_tokens,
    "resend": _resend,
    "sign": _sign,
}
