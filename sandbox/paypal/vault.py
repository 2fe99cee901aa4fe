"""Payment Method Tokens v3, disputes and webhook registration of the PayPal stand-in."""

from flask import g, request

from sandbox.paypal import blueprint
from sandbox.paypal.answers import Refused, base, books, mine, shown, verb
from sandbox.paypal.api import save_payment_token
from sandbox.paypal.books import Thing, new_id


@blueprint.post("/v3/vault/setup-tokens")
@verb("register", "setup_tokens", "NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE")
def create_setup_token() -> Thing:
    wallet = request.get_json().get("payment_source", {}).get("paypal")
    if not wallet or not wallet.get("experience_context", {}).get("return_url"):
        raise Refused(400, "MISSING_REQUIRED_PARAMETER")
    setup = {
        "id": new_id(),
        "customer": {"id": "customer_" + new_id(8)},
        "status": "PAYER_ACTION_REQUIRED",
        "payment_source": {"paypal": {}},
        "_context": wallet["experience_context"],
        "_owner": g.client,
    }
    setup["links"] = [
        {"href": f"{base()}/v3/vault/setup-tokens/{setup['id']}", "rel": "self", "method": "GET"},
        {"href": f"{base()}/agreements/approve?approval_session_id={setup['id']}", "rel": "approve", "method": "GET"},
    ]
    return books().put("setup_tokens", setup["id"], setup)


@blueprint.get("/v3/vault/setup-tokens/<key>")
@verb("enquire")
def show_setup_token(key: str) -> Thing:
    return mine("setup_tokens", key)


@blueprint.post("/v3/vault/payment-tokens")
@verb("register", "payment_tokens", "NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE")
def create_payment_token() -> Thing:
    source = request.get_json().get("payment_source", {}).get("token", {})
    if source.get("type") != "SETUP_TOKEN":
        raise Refused(400, "INVALID_PARAMETER_VALUE")
    setup = mine("setup_tokens", source.get("id", ""))
    if setup["status"] != "APPROVED":
        raise Refused(422, "TOKEN_EXPIRED")
    books().put("setup_tokens", setup["id"], {**setup, "status": "VAULTED"})
    return save_payment_token(setup["_payer"], "setup_token")


@blueprint.get("/v3/vault/payment-tokens/<key>")
@verb("enquire")
def show_payment_token(key: str) -> Thing:
    return mine("payment_tokens", key)


@blueprint.get("/v1/customer/disputes")
@verb("enquire")
def list_disputes() -> Thing:
    about = request.args.get("disputed_transaction_id")
    found = [
        shown(one)
        for one in books().all("disputes")
        if one["_owner"] == g.client and about in (None, one["disputed_transactions"][0]["seller_transaction_id"])
    ]
    return {"items": found, "links": []}


@blueprint.get("/v1/customer/disputes/<key>")
@verb("enquire")
def show_dispute(key: str) -> Thing:
    return mine("disputes", key)


@blueprint.post("/v1/notifications/webhooks")
@verb("webhook", "webhooks")
def create_webhook() -> Thing:
    body = request.get_json()
    return register_webhook(g.client, body["url"], body.get("event_types") or [{"name": "*"}])


def register_webhook(owner: str, url: str, event_types: list[Thing], webhook_id: str | None = None) -> Thing:
    """One webhook per merchant and address: registering it again answers the same one."""
    for known in books().all("webhooks"):
        if known["_owner"] == owner and known["url"] == url and webhook_id in (None, known["id"]):
            return known
    webhook = {"id": webhook_id or new_id(), "url": url, "event_types": event_types, "links": [], "_owner": owner}
    return books().put("webhooks", webhook["id"], webhook)
