"""Stripe: capturing, refunding, cancelling, and asking what became of an operation."""

from collections.abc import Mapping
from typing import Any

from app.connectors._reading import masked, part, text, whole
from app.connectors._stripe_calls import Conversation
from app.connectors._stripe_intents import authorised, new_intent, new_setup, registered
from app.connectors._stripe_words import NEVER_CONFIRMED, REFUND_FAILURES, REFUND_STATES, from_wire, to_wire
from app.connectors.kinds import Answer, Cancel, Capture, DeclineCode, Enquire, Outcome, Refund


def capture(talk: Conversation, ask: Capture) -> Answer:
    wire = to_wire(ask.amount, ask.currency)
    path = f"/v1/payment_intents/{talk.path_reference(ask.provider_reference)}/capture"
    parameters = {
        "amount_to_capture": wire,
        "metadata[capture_key]": ask.operation_key,  # news of the capture finds our operation by it
    }
    return _captured(talk, talk.post(path, parameters, key=ask.operation_key), wire, ask.currency)


def _captured(talk: Conversation, intent: Mapping[str, Any], wire: int, currency: str) -> Answer:
    """One capture per intent; what it leaves is released at once. `wire`: what we asked for."""
    charge, status = part(intent, "latest_charge"), text(intent.get("status"))
    talk.reference = text(intent.get("latest_charge")) or text(charge.get("id"))
    if status != "succeeded":
        raise talk.unknown("provider_word_unknown", field="status", word=masked(status))
    received, reserved = whole(intent.get("amount_received")), whole(intent.get("amount"))
    taken = wire if received is None else received
    rest = reserved - taken if reserved is not None else 0
    return Answer(
        Outcome.APPROVED,
        provider_reference=talk.reference,
        amount=from_wire(taken, currency),
        released=from_wire(rest, currency) if rest > 0 else None,
    )


def refund(talk: Conversation, ask: Refund) -> Answer:
    parameters = {
        "payment_intent": ask.provider_reference,
        "amount": to_wire(ask.amount, ask.currency),
        "metadata[operation_key]": ask.operation_key,
    }
    return _refunded(talk, talk.post("/v1/refunds", parameters, key=ask.operation_key))


def _refunded(talk: Conversation, found: Mapping[str, Any]) -> Answer:
    talk.reference = text(found.get("id"))
    status = text(found.get("status"))
    outcome = REFUND_STATES.get(status or "")
    if outcome is None:
        raise talk.unknown("provider_word_unknown", field="status", word=masked(status))
    if outcome is Outcome.DECLINED:
        word = text(found.get("failure_reason")) or status or ""
        return talk.declined(REFUND_FAILURES.get(word, DeclineCode.PROVIDER_DECLINED), word)
    return Answer(outcome, provider_reference=talk.reference)


def cancel(talk: Conversation, ask: Cancel) -> Answer:
    talk.reference = ask.provider_reference
    path = f"/v1/payment_intents/{talk.path_reference()}/cancel"
    return _cancelled(talk, talk.post(path, {}, key=ask.operation_key))


def _cancelled(talk: Conversation, intent: Mapping[str, Any]) -> Answer:
    status = text(intent.get("status"))
    if status == "canceled":
        return Answer(Outcome.APPROVED, provider_reference=talk.reference)
    if status == "succeeded":
        return talk.declined(DeclineCode.ALREADY_DONE, status)
    raise talk.unknown("provider_word_unknown", field="status", word=masked(status))


def enquire(talk: Conversation, ask: Enquire) -> Answer:
    return _ENQUIRIES[ask.verb](talk, ask)


def _enquire_register(talk: Conversation, ask: Enquire) -> Answer:
    talk.reference = ask.provider_reference or talk.id_of(new_setup(talk, ask.operation_key))
    setup = talk.read("setup_intents")
    if setup.get("status") in NEVER_CONFIRMED and not setup.get("last_setup_error"):
        setup = talk.post(f"/v1/setup_intents/{talk.path_reference()}/cancel", {})
    return registered(talk, setup)


def _enquire_authorise(talk: Conversation, ask: Enquire) -> Answer:
    """An intent that was never confirmed is cancelled, so that no late request can confirm it after our no."""
    talk.reference = ask.provider_reference or _found_again(talk, ask)
    intent = talk.read("payment_intents")
    if intent.get("status") in NEVER_CONFIRMED and not intent.get("last_payment_error"):
        path = f"/v1/payment_intents/{talk.path_reference()}/cancel"
        intent = talk.post(path, {"cancellation_reason": "abandoned"})
    return authorised(talk, intent)


def _found_again(talk: Conversation, ask: Enquire) -> str:
    """The id that the lost answer carried. Asking again under the key brings it back; after a day Stripe
    forgets the key and makes a new intent, so a new one counts only if a search finds no other."""
    intent = talk.id_of(new_intent(talk, ask.operation_key, to_wire(ask.amount, ask.currency), ask.currency))
    if talk.replayed:
        return intent
    escaped = ask.operation_key.replace("\\", "\\\\").replace("'", "\\'")
    found = talk.get("/v1/payment_intents/search", {"query": f"metadata['operation_key']:'{escaped}'"})
    others = [text(part(other).get("id")) for other in found.get("data") or []]
    return next((other for other in others if other and other != intent), intent)


def _enquire_capture(talk: Conversation, ask: Enquire) -> Answer:
    talk.reference = ask.authorisation_reference
    intent = talk.read("payment_intents")
    status = intent.get("status")
    if status == "canceled":
        return talk.declined(DeclineCode.EXPIRED, "canceled")
    if status == "requires_capture":
        return talk.declined(DeclineCode.NEVER_ARRIVED, "requires_capture")
    return _captured(talk, intent, to_wire(ask.amount, ask.currency), ask.currency)


def _enquire_refund(talk: Conversation, ask: Enquire) -> Answer:
    if ask.provider_reference:
        talk.reference = ask.provider_reference
        return _refunded(talk, talk.read("refunds"))
    listed = talk.get("/v1/refunds", {"payment_intent": ask.authorisation_reference, "limit": 100})
    refunds = listed.get("data")
    if not isinstance(refunds, list):
        raise talk.unknown("provider_answer_garbled", field="data")
    for found in refunds:
        if part(found, "metadata").get("operation_key") == ask.operation_key:
            return _refunded(talk, part(found))
    if listed.get("has_more") is True:
        raise talk.unknown("provider_lists_too_many_refunds")
    talk.reference = ask.authorisation_reference
    talk.read("payment_intents")  # an account that does not see the payment sees no refund of it either
    return talk.declined(DeclineCode.NEVER_ARRIVED, None)


def _enquire_cancel(talk: Conversation, ask: Enquire) -> Answer:
    talk.reference = ask.authorisation_reference or ask.provider_reference
    intent = talk.read("payment_intents")
    if intent.get("status") == "requires_capture":
        return talk.declined(DeclineCode.NEVER_ARRIVED, "requires_capture")
    return _cancelled(talk, intent)


_ENQUIRIES = {
    "register": _enquire_register,
    "authorise": _enquire_authorise,
    "capture": _enquire_capture,
    "refund": _enquire_refund,
    "cancel": _enquire_cancel,
}
