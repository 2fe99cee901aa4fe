"""What became of an operation at PayPal: setup tokens, orders, authorisations, captures, refunds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.connectors._paypal_calls import Conversation, Said, declined, unknown
from app.connectors._paypal_orders import (
    approval_url,
    operation_key,
    read_authorisation,
    read_capture,
    read_order,
    read_refund,
    text,
    transactions,
)
from app.connectors.kinds import Action, Answer, DeclineCode, Enquire, Outcome


def look_up(paypal: Conversation, ask: Enquire) -> Answer:
    """Asks without sending anything again."""
    if ask.verb == "register":
        return _enquire_register(paypal, ask)
    if ask.verb == "authorise":
        return _enquire_authorise(paypal, ask)
    if ask.verb == "cancel":
        return _enquire_cancel(paypal, ask)
    if ask.provider_reference:
        kind, read = ("captures", read_capture) if ask.verb == "capture" else ("refunds", read_refund)
        said = paypal.get(f"/v2/payments/{kind}/{ask.provider_reference}")
        if not said.ok or said.data is None:
            return _nothing_found(said, ask.provider_reference)
        return read(said.data, ask.currency)
    if ask.authorisation_reference:
        made = made_before(paypal, ask.verb, ask.operation_key, ask.authorisation_reference, ask.currency)
        return made or unknown("not found in its order")
    return unknown("no reference to ask with")


def _enquire_register(paypal: Conversation, ask: Enquire) -> Answer:
    if not ask.provider_reference:
        return unknown("no reference to ask with")
    said = paypal.get(f"/v3/vault/setup-tokens/{ask.provider_reference}")
    return read_setup(said.data or {}) if said.ok else _nothing_found(said, ask.provider_reference)


def _enquire_authorise(paypal: Conversation, ask: Enquire) -> Answer:
    """The reference is the order's until the payer approved, then the authorisation's."""
    if not ask.provider_reference:
        return unknown("no reference to ask with")
    said = Said(404, None)
    for path, read in (
        ("/v2/checkout/orders", read_order),
        ("/v2/payments/authorizations", read_authorisation),
    ):
        said = paypal.get(f"{path}/{ask.provider_reference}")
        if said.ok and said.data is not None:
            return read(said.data, ask.currency)
        if said.status != 404:
            break
    return _nothing_found(said, ask.provider_reference)


def _enquire_cancel(paypal: Conversation, ask: Enquire) -> Answer:
    reference = ask.authorisation_reference or ask.provider_reference
    if not reference:
        return unknown("no reference to ask with")
    said = paypal.get(f"/v2/payments/authorizations/{reference}")
    status = (said.data or {}).get("status") if said.ok else None
    if status == "VOIDED":
        return Answer(Outcome.APPROVED, provider_reference=reference)
    if status == "CAPTURED":
        return declined(DeclineCode.ALREADY_DONE, "CAPTURED", reference)
    return _nothing_found(said, reference)  # still there: the void may be on its way


def made_before(paypal: Conversation, verb: str, key: str, authorisation: str, currency: str) -> Answer | None:
    """Finds a capture or refund of ours in its order, by the operation key in its invoice number. None: the order has
    none; UNKNOWN when it could not be read."""
    known = paypal.look(f"/v2/payments/authorizations/{authorisation}")
    order = text(known.data, "supplementary_data", "related_ids", "order_id")
    found = paypal.look(f"/v2/checkout/orders/{order}") if order else None
    if found is None or not found.ok or found.data is None:
        return unknown("its order cannot be read")
    for one in transactions(found.data, "captures" if verb == "capture" else "refunds"):
        if operation_key("capture" if verb == "capture" else "refund", one) == key:
            return read_capture(one, currency) if verb == "capture" else read_refund(one, currency)
    return None


def _nothing_found(said: Said, reference: str) -> Answer:
    """An enquiry that finds nothing is no proof of a no."""
    return replace(unknown(said.word or f"http {said.status}"), provider_reference=reference)


def read_setup(setup: Mapping[str, Any]) -> Answer:
    reference, status, url = text(setup, "id"), text(setup, "status"), approval_url(setup)
    if reference and status in ("CREATED", "PAYER_ACTION_REQUIRED") and url:
        return Answer(Outcome.ACTION, provider_reference=reference, action=Action(url))
    if reference and status == "APPROVED":  # the payer agreed; resuming makes the token
        return Answer(Outcome.PENDING, provider_reference=reference, provider_code="APPROVED")
    return unknown(f"setup token {status}", reference)
