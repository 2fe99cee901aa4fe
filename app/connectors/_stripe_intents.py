"""Stripe: registering and authorising, through intents that exist before the card is sent."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from app.connectors._reading import masked, part, secrets_of, text, whole
from app.connectors._stripe_calls import Conversation
from app.connectors._stripe_words import DECLINES, INTENT_STATES, read_amount, to_wire
from app.connectors.kinds import Action, Answer, Authorise, Card, DeclineCode, Outcome, Payer, Register
from app.core.clock import now

# Registering


def register(talk: Conversation, ask: Register) -> Answer:
    if ask.resume:
        talk.reference = ask.resume.provider_reference
        return registered(talk, talk.read("setup_intents"))
    assert ask.card, "registering needs a card"
    talk.hide = secrets_of(ask.card)
    talk.reference = talk.id_of(new_setup(talk, ask.operation_key))
    method = _new_method(talk, ask.card, ask.payer, ask.operation_key)
    setup = talk.post(
        f"/v1/setup_intents/{talk.path_reference()}/confirm",
        {"payment_method": method, "return_url": ask.return_url, "expand[]": "payment_method"},
        key=f"{ask.operation_key}-confirm",
    )
    return registered(talk, setup)


def new_setup(talk: Conversation, operation_key: str) -> dict[str, Any]:
    """Its parameters follow from the key alone, so it can be asked for again without the card."""
    parameters = {
        "customer": _new_customer(talk, operation_key),
        "usage": "off_session",
        "payment_method_types[]": "card",
        "metadata[operation_key]": operation_key,
    }
    return talk.post("/v1/setup_intents", parameters, key=operation_key)


def registered(talk: Conversation, setup: Mapping[str, Any]) -> Answer:
    token, facts = _token(setup), _card_facts(part(setup, "payment_method", "card"))
    if setup.get("status") == "succeeded" and token is None:
        raise talk.unknown("provider_answer_garbled", field="payment_method")
    return _intent_answer(talk, setup, "last_setup_error", {"token": token, **facts})


# Authorising


def authorise(talk: Conversation, ask: Authorise) -> Answer:
    if ask.resume:
        talk.reference = ask.resume.provider_reference
        return authorised(talk, talk.read("payment_intents"))
    talk.hide = secrets_of(ask.card)
    intent = new_intent(talk, ask.operation_key, to_wire(ask.amount, ask.currency), ask.currency)
    talk.reference = talk.id_of(intent)
    path = f"/v1/payment_intents/{talk.path_reference()}"
    talk.post(path, _particulars(talk, ask), key=f"{ask.operation_key}-update")
    recurring = "recurring" if ask.series == "following" else "true"
    confirmation = {
        "off_session": recurring if ask.initiator == "merchant" else None,
        "return_url": ask.return_url if ask.initiator == "payer" else None,
        "expand[]": "latest_charge",
    }
    return authorised(talk, talk.post(f"{path}/confirm", confirmation, key=f"{ask.operation_key}-confirm"))


def new_intent(talk: Conversation, operation_key: str, wire_amount: int, currency: str) -> dict[str, Any]:
    """Only what an enquiry knows too goes in here: under the same key Stripe accepts no other parameters."""
    parameters = {
        "amount": wire_amount,
        "currency": currency.lower(),
        "capture_method": "manual",
        "payment_method_types[]": "card",
        "metadata[operation_key]": operation_key,
    }
    return talk.post("/v1/payment_intents", parameters, key=operation_key)


def _particulars(talk: Conversation, ask: Authorise) -> dict[str, object]:
    """What turns the bare intent into this payment: card or token, customer, texts."""
    keep = ask.initiator == "payer" and (ask.store or ask.series is not None)
    if ask.card:
        customer = _new_customer(talk, ask.operation_key) if keep else None
        method = _new_method(talk, ask.card, ask.payer, ask.operation_key)
    else:
        assert ask.token, "authorising needs a card or a token"
        customer, _, method = ask.token.rpartition(":")
    return {
        "payment_method": method,
        "customer": customer,
        "description": ask.description,
        "metadata[merchant_reference]": ask.merchant_reference,
        "setup_future_usage": "off_session" if keep and customer else None,
    }


def _new_customer(talk: Conversation, operation_key: str) -> str:
    """A token can be charged later only through a customer. It carries no personal data."""
    parameters = {"metadata[operation_key]": operation_key}
    return talk.id_of(talk.post("/v1/customers", parameters, key=f"{operation_key}-customer"))


def _new_method(talk: Conversation, card: Card, payer: Payer, operation_key: str) -> str:
    parameters = {
        "type": "card",
        "card[number]": card.number,
        "card[exp_month]": card.expiry_month,
        "card[exp_year]": card.expiry_year,
        "card[cvc]": card.security_code,
        "billing_details[name]": card.holder or payer.name,
        "billing_details[email]": payer.email,
    }
    return talk.id_of(talk.post("/v1/payment_methods", parameters, key=f"{operation_key}-card"))


def authorised(talk: Conversation, intent: Mapping[str, Any]) -> Answer:
    card = part(intent, "latest_charge", "payment_method_details", "card")
    facts: dict[str, Any] = {
        "token": _token(intent) if intent.get("setup_future_usage") else None,
        "amount": read_amount(intent.get("amount"), intent.get("currency")),
        "scheme_transaction_id": text(card.get("network_transaction_id")),
        **_card_facts(card),
    }
    capture_before = whole(card.get("capture_before"))
    if capture_before:
        facts["valid_for"] = timedelta(seconds=max(0, capture_before - int(now().timestamp())))
    return _intent_answer(talk, intent, "last_payment_error", facts)


# What a PaymentIntent or SetupIntent says


def _intent_answer(talk: Conversation, intent: Mapping[str, Any], error_field: str, facts: Mapping[str, Any]) -> Answer:
    """`facts` belong to a yes."""
    status = text(intent.get("status"))
    outcome = INTENT_STATES.get(status or "")
    error = part(intent, error_field)
    if outcome is Outcome.APPROVED:
        return Answer(outcome, provider_reference=talk.reference, **facts)
    if outcome is Outcome.PENDING:
        return Answer(outcome, provider_reference=talk.reference)
    if outcome is Outcome.ACTION:
        return Answer(outcome, provider_reference=talk.reference, action=_action(talk, intent))
    if outcome is Outcome.DECLINED and (status == "canceled" or error):
        word = text(error.get("decline_code")) or text(error.get("code")) or status or ""
        code = DECLINES.get(word, DeclineCode.PROVIDER_DECLINED)
        return talk.declined(code, word, error.get("message"))
    raise talk.unknown("provider_word_unknown", field="status", word=masked(status, talk.hide))


def _action(talk: Conversation, intent: Mapping[str, Any]) -> Action:
    url = text(part(intent, "next_action", "redirect_to_url").get("url")) or ""
    if urlsplit(url).scheme not in ("https", "http"):
        kind = masked(part(intent, "next_action").get("type"), talk.hide)
        raise talk.unknown("provider_word_unknown", field="next_action", word=kind)
    return Action(url=url, kind="challenge", framable=True)


def _token(intent: Mapping[str, Any]) -> str | None:
    """A token is "customer:payment method": Stripe charges the second only together with the first."""
    customer, method = text(intent.get("customer")), intent.get("payment_method")
    method = text(method) or text(part(intent, "payment_method").get("id"))
    return f"{customer}:{method}" if customer and method else None


def _card_facts(card: Mapping[str, Any]) -> dict[str, str | None]:
    return {
        "brand": text(card.get("brand")),
        "last4": text(card.get("last4")),
        "funding": text(card.get("funding")),
        "issuer_country": text(card.get("country")),
    }
