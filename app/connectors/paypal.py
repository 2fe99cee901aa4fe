"""PayPal: Orders v2 and Payments v2 with authorisations, and Payment Method Tokens v3 for later charges.

The payer approves at PayPal, so `authorise` answers ACTION first and takes the money when it is called again
with `resume`; with a token it charges at once. Wire format: openapi/checkout_orders_v2.json,
payments_payment_v2.json and vault_payment_tokens_v3.json of paypal/paypal-rest-api-specifications.

Repeats: PayPal keeps a PayPal-Request-Id 45 days for payments, 6 hours for orders and 3 hours for the vault.
An order repeated later is still not charged twice where the account blocks used invoice numbers (PayPal's
default), because ours are unique per operation; such a refusal therefore counts as UNKNOWN, not as a no.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app.connectors._checking import checked, host_of, mode_fits
from app.connectors._paypal_calls import (
    DEFAULT_URL,
    Conversation,
    Said,
    base_url,
    credentials_work,
    declined,
    refusal,
    request_id,
    unknown,
)
from app.connectors._paypal_enquire import look_up, made_before, read_setup
from app.connectors._paypal_news import read_news as read_news
from app.connectors._paypal_orders import (
    approval_url,
    invoice_id,
    link,
    order_body,
    read_authorisation,
    read_capture,
    read_order,
    read_refund,
    setup_body,
    text,
    was_cancelled,
)
from app.connectors._paypal_words import AmountNotWritable, money
from app.connectors.kinds import (
    Acknowledgement,
    Action,
    Answer,
    Authorise,
    Can,
    Cancel,
    Capture,
    Checked,
    Contract,
    DeclineCode,
    Enquire,
    Outcome,
    Reached,
    Refund,
    Register,
    Setting,
)

LABEL = "PayPal"
METHODS = frozenset({"paypal"})
CAN = Can(
    captures="many",
    refunds="many",
    cancel_rest=True,
    tokens=True,
    unscheduled=True,
    authorisation_days=29,
    honour_days=3,
    reauthorise=True,
    resolve={
        "register": "by_id",
        "authorise": "by_resend",
        "capture": "by_resend",
        "refund": "by_resend",
        "cancel": "by_resend",  # a void has no amount, and voiding the void is answered "previously voided"
    },
    refunds_by="capture",
    rest="released",
    resend_days=30,
    resolve_otherwise="by_reference",
)
SETTINGS = (
    Setting("client_id", "Client ID"),
    Setting("client_secret", "Client secret", secret=True),
    Setting("webhook_id", "Webhook ID", help="From the app's webhook settings; notifications are checked with it."),
    Setting("url", "API address", default=DEFAULT_URL, help="Change it for PayPal's sandbox only."),
)
ACKNOWLEDGEMENT = Acknowledgement()


def register(contract: Contract, ask: Register) -> Answer:
    """The payer agrees at PayPal to later charges; `resume` turns that into a token."""
    paypal = Conversation(contract)
    if ask.resume is None:
        said = paypal.post("/v3/vault/setup-tokens", setup_body(ask), request_id(ask.operation_key, "setup"))
        return read_setup(said.data or {}) if said.ok else refusal(said)
    if was_cancelled(ask.resume):
        return declined(DeclineCode.PAYER_CANCELLED, provider_reference=ask.resume.provider_reference)
    return _exchange(paypal, ask.resume.provider_reference, ask.operation_key)


def _exchange(paypal: Conversation, setup_token: str, key: str) -> Answer:
    setup = paypal.get(f"/v3/vault/setup-tokens/{setup_token}")
    if not setup.ok:
        return refusal(setup, setup_token)
    if (setup.data or {}).get("status") in ("CREATED", "PAYER_ACTION_REQUIRED"):
        return declined(DeclineCode.PAYER_CANCELLED, provider_reference=setup_token)
    body = {"payment_source": {"token": {"id": setup_token, "type": "SETUP_TOKEN"}}}
    said = paypal.post("/v3/vault/payment-tokens", body, request_id(key, "token"))
    if not said.ok or said.data is None:
        return refusal(said, setup_token)
    token = text(said.data, "id")
    if token is None:
        return unknown("payment token without id", setup_token)
    return Answer(Outcome.APPROVED, setup_token, token=token)


def authorise(contract: Contract, ask: Authorise) -> Answer:
    """Creates an order for the payer to approve, takes the money of an approved one (`resume`), charges a token,
    or renews a fading authorisation."""
    try:
        amount = money(ask.amount, ask.currency)
    except AmountNotWritable as impossible:
        return declined(impossible.code)
    paypal = Conversation(contract)
    if ask.reauthorise:
        return _reauthorise(paypal, ask.reauthorise, amount, ask)
    if ask.resume:
        order = ask.resume.provider_reference
        if was_cancelled(ask.resume):
            return declined(DeclineCode.PAYER_CANCELLED, provider_reference=order)
        return _take(paypal, order, ask)
    said = paypal.post("/v2/checkout/orders", order_body(ask, amount), request_id(ask.operation_key, "order"))
    if not said.ok or said.data is None:
        return refusal(said)
    answer = read_order(said.data, ask.currency)
    if answer.provider_code == "APPROVED" and answer.provider_reference:
        return _take(paypal, answer.provider_reference, ask)
    if answer.outcome is Outcome.ACTION and ask.initiator == "merchant":  # nobody is there to act
        return declined(DeclineCode.AUTHENTICATION_REQUIRED, "PAYER_ACTION_REQUIRED", answer.provider_reference)
    return answer


def _take(paypal: Conversation, order: str, ask: Authorise) -> Answer:
    said = paypal.post(f"/v2/checkout/orders/{order}/authorize", {}, request_id(ask.operation_key, "authorize"))
    if said.word == "ORDER_ALREADY_AUTHORIZED":
        said = paypal.look(f"/v2/checkout/orders/{order}")
    if said.word == "PAYER_ACTION_REQUIRED":
        url = approval_url(said.data or {}) or link(said.data or {}, "redirect")
        if url:
            return Answer(Outcome.ACTION, provider_reference=order, action=Action(url))
    if not said.ok or said.data is None:
        return refusal(said, order)
    return read_order(said.data, ask.currency)


def _reauthorise(paypal: Conversation, reference: str, amount: Mapping[str, str], ask: Authorise) -> Answer:
    key = request_id(ask.operation_key, "reauthorize")
    said = paypal.post(f"/v2/payments/authorizations/{reference}/reauthorize", {"amount": amount}, key)
    if said.word == "REAUTHORIZATION_NOT_SUPPORTED" and (first := _first_authorisation(paypal, reference)):
        # Only the first authorisation can be renewed, again and again; this one was itself a renewal.
        key = request_id(ask.operation_key, "reauthorize-first")
        said = paypal.post(f"/v2/payments/authorizations/{first}/reauthorize", {"amount": amount}, key)
    return read_authorisation(said.data, ask.currency) if said.ok and said.data is not None else refusal(said)


def capture(contract: Contract, ask: Capture) -> Answer:
    try:
        amount = money(ask.amount, ask.currency)
    except AmountNotWritable as impossible:
        return declined(impossible.code)
    paypal = Conversation(contract)
    body = {
        "amount": amount,
        "final_capture": ask.final,
        "invoice_id": invoice_id("capture", ask.merchant_reference, ask.operation_key),
    }
    path = f"/v2/payments/authorizations/{ask.provider_reference}/capture"
    said = paypal.post(path, body, request_id(ask.operation_key, "capture"))
    if said.ok and said.data is not None:
        return read_capture(said.data, ask.currency)
    if said.word == "DUPLICATE_INVOICE_ID":
        made = made_before(paypal, "capture", ask.operation_key, ask.provider_reference, ask.currency)
        return made or unknown("not found in its order")
    return refusal(said)


def refund(contract: Contract, ask: Refund) -> Answer:
    """Refunds a capture. What staff wrote as the reason stays here: PayPal's note would be shown to the payer."""
    try:
        amount = money(ask.amount, ask.currency)
    except AmountNotWritable as impossible:
        return declined(impossible.code)
    paypal = Conversation(contract)
    body = {
        "amount": amount,
        "custom_id": ask.operation_key,
        "invoice_id": invoice_id("refund", ask.merchant_reference, ask.operation_key),
    }
    path = f"/v2/payments/captures/{ask.capture_reference or ask.provider_reference}/refund"
    said = paypal.post(path, body, request_id(ask.operation_key, "refund"))
    if said.ok and said.data is not None:
        return read_refund(said.data, ask.currency)
    if said.word == "DUPLICATE_INVOICE_ID":
        made = made_before(paypal, "refund", ask.operation_key, ask.provider_reference, ask.currency)
        return made or unknown("not found in its order")
    return refusal(said)


def cancel(contract: Contract, ask: Cancel) -> Answer:
    """Voids what is left. PayPal takes no amount; an authorisation voided before, by us or by time, is voided."""
    paypal = Conversation(contract)
    said = _void(paypal, ask.provider_reference)
    if said.word == "CANNOT_BE_VOIDED" and (first := _first_authorisation(paypal, ask.provider_reference)):
        said = _void(paypal, first)  # a renewal is voided through the first authorisation
    voided = said.status == 204 or (said.ok and text(said.data, "status") == "VOIDED")
    if voided or said.word == "PREVIOUSLY_VOIDED":
        return Answer(Outcome.APPROVED, provider_reference=ask.provider_reference)
    if said.ok:
        return unknown(f"void {text(said.data, 'status')}")
    return refusal(said)  # a void that we know nothing of has no reference


def check(contract: Contract) -> Checked:
    """Fetches a fresh access token, which takes client id and secret and does nothing else."""

    def call() -> Checked:
        host = host_of(base_url(contract))
        is_live = host.endswith(".paypal.com") and not host.endswith(".sandbox.paypal.com")
        if not mode_fits(contract.live, is_live):
            return Checked(Reached.WRONG_MODE)
        return credentials_work(Conversation(contract))

    return checked(call)


def enquire(contract: Contract, ask: Enquire) -> Answer:
    """By PayPal's reference where we have it. What never got one is sent again: PayPal answers what it has done under
    this PayPal-Request-Id, or does it now. A no to that counts only if nothing of ours is in the order."""
    paypal = Conversation(contract)
    if ask.again is None or ask.provider_reference:
        return look_up(paypal, ask)
    answer = _SEND[type(ask.again)](contract, ask.again)
    if answer.outcome is Outcome.DECLINED and ask.verb in ("capture", "refund") and ask.authorisation_reference:
        return made_before(paypal, ask.verb, ask.operation_key, ask.authorisation_reference, ask.currency) or answer
    return answer


_SEND: Mapping[type, Callable[[Contract, Any], Answer]] = {
    Authorise: authorise,
    Capture: capture,
    Refund: refund,
    Cancel: cancel,
}


def _void(paypal: Conversation, reference: str) -> Said:
    return paypal.post(f"/v2/payments/authorizations/{reference}/void", {})


def _first_authorisation(paypal: Conversation, reference: str) -> str | None:
    known = paypal.look(f"/v2/payments/authorizations/{reference}").data
    first = text(known, "supplementary_data", "related_ids", "authorization_id")
    return first if first != reference else None


if TYPE_CHECKING:
    from app.connectors import paypal as _me
    from app.connectors.kinds import Connector

    _: Connector = _me
