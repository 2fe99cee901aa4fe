"""Access tokens, orders, authorisations, captures and refunds of the PayPal stand-in."""

from typing import Any

from flask import Response, g, jsonify, request

from sandbox.paypal import blueprint
from sandbox.paypal.answers import (
    Refused,
    amount_of,
    base,
    books,
    client_of_basic,
    garbled_token,
    mine,
    new_token,
    verb,
    webhooks,
)
from sandbox.paypal.books import Thing, minor, money, new_id, stamp

# Who may come to the approval page, and what PayPal then does with their payment.
PAYERS: dict[str, Thing] = {
    "ok": {"name": "Anna Kundin", "email": "anna.kundin@example.org", "account": "ANNAKUNDE2345", "effect": None},
    "declined": {
        "name": "Bernd Leerkonto",
        "email": "bernd.leerkonto@example.org",
        "account": "BERNDLEER2345",
        "effect": "INSTRUMENT_DECLINED",
    },
    "review": {
        "name": "Clara Prüfung",
        "email": "clara.pruefung@example.org",
        "account": "CLARAPRUEF234",
        "effect": "PENDING",
    },
    "blocked": {
        "name": "Dora Gesperrt",
        "email": "dora.gesperrt@example.org",
        "account": "DRAGESPERRT23",
        "effect": "PAYER_ACCOUNT_RESTRICTED",
    },
}


@blueprint.post("/v1/oauth2/token")
def token() -> Any:
    client_id = client_of_basic()
    if client_id is None or request.form.get("grant_type") != "client_credentials":
        return jsonify({"error": "invalid_client", "error_description": "Client Authentication failed"}), 401
    return garbled_token() or jsonify(new_token(client_id))


@blueprint.post("/v2/checkout/orders")
@verb("authorise", "orders", "PAYEE_ACCOUNT_RESTRICTED")
def create_order() -> Thing:
    body = request.get_json()
    unit = body["purchase_units"][0]
    if body.get("intent") not in ("AUTHORIZE", "CAPTURE"):
        raise Refused(400, "INVALID_PARAMETER_VALUE")
    if amount_of(unit) is None:
        raise Refused(400, "MISSING_REQUIRED_PARAMETER")
    wallet = body.get("payment_source", {}).get("paypal")
    if wallet is not None and not request.headers.get("PayPal-Request-Id"):
        raise Refused(400, "PAYPAL_REQUEST_ID_REQUIRED")
    order = {
        "id": new_id(),
        "intent": body["intent"],
        "status": "CREATED" if wallet is None else "PAYER_ACTION_REQUIRED",
        "payment_source": {"paypal": {}},
        "purchase_units": [{**unit, "payments": {}}],
        "create_time": stamp(),
        "_owner": g.client,
        "_context": (wallet or {}).get("experience_context", {}),
        "_vault": bool((wallet or {}).get("attributes", {}).get("vault")),
    }
    rel = "approve" if wallet is None else "payer-action"
    order["links"] = [
        {"href": f"{base()}/v2/checkout/orders/{order['id']}", "rel": "self", "method": "GET"},
        {"href": f"{base()}/checkoutnow?token={order['id']}", "rel": rel, "method": "GET"},
    ]
    if wallet and wallet.get("vault_id"):
        saved = books().get("payment_tokens", wallet["vault_id"])
        if saved is None or saved["_owner"] != g.client:
            raise Refused(422, "TOKEN_ID_NOT_FOUND")
        order["_payer"] = saved["_payer"]
        return _take(order)
    return books().put("orders", order["id"], order)


@blueprint.get("/v2/checkout/orders/<key>")
@verb("enquire")
def show_order(key: str) -> Thing:
    return mine("orders", key)


@blueprint.post("/v2/checkout/orders/<key>/authorize")
@verb("authorise", "orders", "INSTRUMENT_DECLINED")
def authorize_order(key: str) -> Thing:
    return _complete(mine("orders", key), "AUTHORIZE", "ORDER_ALREADY_AUTHORIZED")


@blueprint.post("/v2/checkout/orders/<key>/capture")
@verb("authorise", "orders", "INSTRUMENT_DECLINED")
def capture_order(key: str) -> Thing:
    return _complete(mine("orders", key), "CAPTURE", "ORDER_ALREADY_CAPTURED")


def _complete(order: Thing, intent: str, already: str) -> Thing:
    if order["intent"] != intent:
        raise Refused(422, "ACTION_DOES_NOT_MATCH_INTENT")
    if order["status"] == "COMPLETED":
        raise Refused(422, already)
    if order["status"] != "APPROVED":
        raise Refused(422, "ORDER_NOT_APPROVED")
    return _take(order)


def _take(order: Thing) -> Thing:
    """Reserves or captures the money of an approved order."""
    payer = PAYERS[order["_payer"]]
    unit = order["purchase_units"][0]
    if payer["effect"] not in (None, "PENDING"):
        raise Refused(422, str(payer["effect"]), redirect=f"{base()}/checkoutnow?token={order['id']}")
    _refuse_used_invoice(unit.get("invoice_id"))
    made = {
        "id": new_id(),
        "status": "PENDING" if payer["effect"] else "CREATED" if order["intent"] == "AUTHORIZE" else "COMPLETED",
        "amount": unit["amount"],
        "invoice_id": unit.get("invoice_id"),
        "custom_id": unit.get("custom_id"),
        "create_time": stamp(),
        "update_time": stamp(),
        "supplementary_data": {"related_ids": {"order_id": order["id"]}},
        "_owner": g.client,
    }
    if payer["effect"]:
        made["status_details"] = {"reason": "PENDING_REVIEW"}
    wallet: Thing = {
        "email_address": payer["email"],
        "account_id": payer["account"],
        "account_status": "VERIFIED",
        "name": dict(zip(("given_name", "surname"), str(payer["name"]).split(), strict=True)),
        "address": {"country_code": "DE"},
    }
    if order.get("_vault"):
        saved = save_payment_token(order["_payer"], "order")
        wallet["attributes"] = {"vault": {"id": saved["id"], "status": "VAULTED", "customer": saved["customer"]}}
    if order["intent"] == "AUTHORIZE":
        made |= {"expiration_time": stamp(days=29), "links": _links("authorizations", made["id"])}
        books().put("authorizations", made["id"], made)
    else:
        made |= {"final_capture": True, **_breakdown(made["amount"])}
        made["links"] = [*_links("captures", made["id"]), _up(f"/v2/checkout/orders/{order['id']}")]
        books().put("captures", made["id"], made)
    kind = "authorizations" if order["intent"] == "AUTHORIZE" else "captures"
    public = {name: value for name, value in made.items() if not name.startswith("_")}
    done = {
        **order,
        "status": "COMPLETED",
        "payment_source": {"paypal": wallet},
        "purchase_units": [{**unit, "payments": {kind: [public]}}],
    }
    done["links"] = [one for one in order["links"] if one["rel"] == "self"]
    books().put("orders", order["id"], done)
    if kind == "authorizations":
        webhooks().tell(g.client, base(), "PAYMENT.AUTHORIZATION.CREATED", "authorization", made)
    else:
        event = "PENDING" if made["status"] == "PENDING" else "COMPLETED"
        webhooks().tell(g.client, base(), f"PAYMENT.CAPTURE.{event}", "capture", made)
    return done


def save_payment_token(payer: str, made_by: str) -> Thing:
    saved = {
        "id": new_id(10).lower(),
        "customer": {"id": "customer_" + new_id(8)},
        "payment_source": {"paypal": {"email_address": PAYERS[payer]["email"], "account_id": PAYERS[payer]["account"]}},
        "_payer": payer,
        "_owner": g.client,
    }
    saved["links"] = [{"href": f"{base()}/v3/vault/payment-tokens/{saved['id']}", "rel": "self", "method": "GET"}]
    books().put("payment_tokens", saved["id"], saved)
    webhooks().tell(g.client, base(), "VAULT.PAYMENT-TOKEN.CREATED", "payment_token", {**saved, "made_by": made_by})
    return saved


@blueprint.get("/v2/payments/authorizations/<key>")
@verb("enquire")
def show_authorization(key: str) -> Thing:
    return mine("authorizations", key)


@blueprint.post("/v2/payments/authorizations/<key>/capture")
@verb("capture", "captures")
def capture_authorization(key: str) -> Thing:
    held, body = mine("authorizations", key), request.get_json()
    refusal = {"CAPTURED": "AUTHORIZATION_ALREADY_CAPTURED", "VOIDED": "AUTHORIZATION_VOIDED"}.get(held["status"])
    if refusal:
        raise Refused(422, refusal)
    currency = held["amount"]["currency_code"]
    amount = amount_of(body) or held["amount"]
    if amount["currency_code"] != currency:
        raise Refused(422, "AUTH_CAPTURE_CURRENCY_MISMATCH")
    taken = held.get("_captured", 0) + minor(amount)
    if taken > minor(held["amount"]):
        raise Refused(422, "MAX_CAPTURE_AMOUNT_EXCEEDED")
    _refuse_used_invoice(body.get("invoice_id"))
    final = bool(body.get("final_capture")) or taken == minor(held["amount"])
    capture = {
        "id": new_id(),
        "status": "COMPLETED",
        "amount": amount,
        "final_capture": bool(body.get("final_capture", False)),
        "invoice_id": body.get("invoice_id"),
        "custom_id": held.get("custom_id"),
        "create_time": stamp(),
        "update_time": stamp(),
        "supplementary_data": {"related_ids": {**held["supplementary_data"]["related_ids"], "authorization_id": key}},
        **_breakdown(amount),
        "_owner": g.client,
    }
    capture["links"] = [*_links("captures", capture["id"]), _up(f"/v2/payments/authorizations/{key}")]
    books().put("captures", capture["id"], capture)
    state = "CAPTURED" if final else "PARTIALLY_CAPTURED"
    books().put("authorizations", key, {**held, "status": state, "_captured": taken, "update_time": stamp()})
    _note_in_order(held, "captures", capture)
    webhooks().tell(g.client, base(), "PAYMENT.CAPTURE.COMPLETED", "capture", capture)
    return capture


@blueprint.post("/v2/payments/authorizations/<key>/void")
@verb("cancel", decline="PREVIOUSLY_CAPTURED")
def void_authorization(key: str) -> Thing | None:
    held = mine("authorizations", key)
    refusal = {"CAPTURED": "PREVIOUSLY_CAPTURED", "VOIDED": "PREVIOUSLY_VOIDED"}.get(held["status"])
    if refusal or held.get("_renews"):
        raise Refused(422, refusal or "CANNOT_BE_VOIDED")
    voided = void(held)
    return voided if "representation" in request.headers.get("Prefer", "") else None


def void(held: Thing) -> Thing:
    """Voids an authorisation and its renewals, and tells."""
    for one in books().all("authorizations"):
        if one.get("_renews") == held["id"]:
            books().put("authorizations", one["id"], {**one, "status": "VOIDED"})
    voided = books().put("authorizations", held["id"], {**held, "status": "VOIDED", "update_time": stamp()})
    webhooks().tell(held["_owner"], base(), "PAYMENT.AUTHORIZATION.VOIDED", "authorization", voided)
    return voided


@blueprint.post("/v2/payments/authorizations/<key>/reauthorize")
@verb("authorise", "authorizations", "PAYER_CANNOT_PAY")
def reauthorize(key: str) -> Thing:
    held = mine("authorizations", key)
    if held.get("_renews"):
        raise Refused(422, "REAUTHORIZATION_NOT_SUPPORTED")
    refusal = {"CAPTURED": "AUTHORIZATION_ALREADY_CAPTURED", "VOIDED": "AUTHORIZATION_VOIDED"}.get(held["status"])
    if refusal:
        raise Refused(422, refusal)
    amount = amount_of(request.get_json()) or held["amount"]
    related = {**held["supplementary_data"]["related_ids"], "authorization_id": key}
    renewed = {
        **{name: value for name, value in held.items() if name != "_captured"},
        "id": new_id(),
        "status": "CREATED",
        "amount": amount,
        "create_time": stamp(),
        "supplementary_data": {"related_ids": related},
        "_renews": key,
    }
    renewed["links"] = _links("authorizations", renewed["id"])
    return books().put("authorizations", renewed["id"], renewed)


@blueprint.get("/v2/payments/captures/<key>")
@verb("enquire")
def show_capture(key: str) -> Thing:
    return mine("captures", key)


@blueprint.post("/v2/payments/captures/<key>/refund")
@verb("refund", "refunds", "REFUND_FAILED_INSUFFICIENT_FUNDS")
def refund_capture(key: str) -> Thing:
    capture, body = mine("captures", key), request.get_json()
    amount = amount_of(body) or money(
        minor(capture["amount"]) - capture.get("_refunded", 0), capture["amount"]["currency_code"]
    )
    return refund(capture, amount, body, "PAYMENT.CAPTURE.REFUNDED")


def refund(capture: Thing, amount: Thing, body: Thing, event: str) -> Thing:
    """Gives money of a capture back, and tells it under this event's name."""
    if capture["status"] == "REFUNDED":
        raise Refused(422, "CAPTURE_FULLY_REFUNDED")
    if amount["currency_code"] != capture["amount"]["currency_code"]:
        raise Refused(422, "REFUND_CAPTURE_CURRENCY_MISMATCH")
    total = capture.get("_refunded", 0) + minor(amount)
    if total > minor(capture["amount"]):
        raise Refused(422, "REFUND_AMOUNT_EXCEEDED")
    made = {
        "id": new_id(),
        "status": "COMPLETED",
        "amount": amount,
        # PayPal shows the capture's invoice number on a refund that names none
        "invoice_id": body.get("invoice_id", capture.get("invoice_id")),
        "custom_id": body.get("custom_id", capture.get("custom_id")),
        "create_time": stamp(),
        "update_time": stamp(),
        "_owner": capture["_owner"],
    }
    made["links"] = [*_links("refunds", made["id"]), _up(f"/v2/payments/captures/{capture['id']}")]
    books().put("refunds", made["id"], made)
    state = "REFUNDED" if total == minor(capture["amount"]) else "PARTIALLY_REFUNDED"
    books().put("captures", capture["id"], {**capture, "status": state, "_refunded": total})
    _note_in_order(capture, "refunds", made)
    webhooks().tell(capture["_owner"], base(), event, "refund", made)
    return made


@blueprint.get("/v2/payments/refunds/<key>")
@verb("enquire")
def show_refund(key: str) -> Thing:
    return mine("refunds", key)


@blueprint.get("/v1/notifications/certs/<name>")
def certificate(name: str) -> Any:
    if name != webhooks().certificate_name:
        return Response(status=404)
    return Response(webhooks().certificate, content_type="application/x-pem-file")


def _refuse_used_invoice(invoice: str | None) -> None:
    used = {one.get("invoice_id") for kind in ("authorizations", "captures") for one in books().all(kind)}
    if invoice and invoice in used:
        raise Refused(422, "DUPLICATE_INVOICE_ID")


def _note_in_order(source: Thing, kind: str, made: Thing) -> None:
    order = books().get("orders", source["supplementary_data"]["related_ids"]["order_id"])
    assert order is not None
    unit = order["purchase_units"][0]
    public = {name: value for name, value in made.items() if not name.startswith("_")}
    payments = {**unit["payments"], kind: [*unit["payments"].get(kind, []), public]}
    books().put("orders", order["id"], {**order, "purchase_units": [{**unit, "payments": payments}]})


def _breakdown(amount: Thing) -> Thing:
    gross, currency = minor(amount), amount["currency_code"]
    fee = min(gross, gross * 249 // 10_000 + 35)
    if currency in ("JPY", "HUF", "TWD"):
        fee -= fee % 100
    return {
        "seller_receivable_breakdown": {
            "gross_amount": amount,
            "paypal_fee": money(fee, currency),
            "net_amount": money(gross - fee, currency),
        }
    }


def _links(kind: str, key: str) -> list[Thing]:
    return [{"href": f"{base()}/v2/payments/{kind}/{key}", "rel": "self", "method": "GET"}]


def _up(path: str) -> Thing:
    return {"href": base() + path, "rel": "up", "method": "GET"}
