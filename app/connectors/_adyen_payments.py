"""Adyen: registering and authorising.

Sources: POST /payments, /payments/details and GET /storedPaymentMethods of CheckoutService-v72.json;
docs.adyen.com/online-payments/3d-secure/redirect-3ds2, /online-payments/tokenization.
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from app.config import settings
from app.connectors._adyen_calls import LONGEST_REFERENCE, Conversation
from app.connectors._adyen_words import BRANDS, FUNDING, REFUSALS, RESULTS, amount_of, to_wire
from app.connectors._reading import masked, part, secrets_of, text
from app.connectors._talk import Stopped
from app.connectors.kinds import (
    Action,
    Answer,
    Authorise,
    Card,
    DeclineCode,
    Enquire,
    Outcome,
    Payer,
    Register,
    Resume,
)

_MODELS = {None: "CardOnFile", "first": "Subscription", "following": "Subscription"}
_UNSCHEDULED = "UnscheduledCardOnFile"


def register(talk: Conversation, ask: Register) -> Answer:
    """A payment of nothing that is stored."""
    if ask.resume:
        found = _details(talk, ask.operation_key, ask.resume)
    else:
        assert ask.card, "registering needs a card"
        talk.hide = secrets_of(ask.card)
        body = {
            "amount": {"value": 0, "currency": ask.currency},
            "reference": _reference(ask.operation_key),
            "paymentMethod": _card(ask.card),
            "storePaymentMethod": True,
            "shopperReference": ask.operation_key,
            "shopperInteraction": "Ecommerce",
            "recurringProcessingModel": _UNSCHEDULED,
            **_payer(ask.payer, ask.return_url),
        }
        found = talk.post("/payments", body, key=ask.operation_key)
    answer = _answer(talk, found, keep_for=ask.operation_key)
    if answer.outcome is Outcome.APPROVED and answer.token is None:
        raise talk.unknown("provider_gave_no_token")
    return answer


def authorise(talk: Conversation, ask: Authorise) -> Answer:
    if ask.resume:
        found = _details(talk, ask.operation_key, ask.resume)
    else:
        talk.hide = secrets_of(ask.card)
        found = talk.post("/payments", _payment(ask), key=ask.operation_key)
    return _answer(talk, found, keep_for=ask.operation_key if _is_kept(ask) else None)


def enquire_register(talk: Conversation, ask: Enquire) -> Answer:
    """The shopper exists for this one registration only, so a token it has is the one asked about."""
    token = _stored(talk, ask.operation_key)
    if token is None:
        raise talk.unknown("provider_has_no_such_token")
    return Answer(Outcome.APPROVED, provider_reference=ask.provider_reference, token=token)


def _payment(ask: Authorise) -> dict[str, Any]:
    """Captured by hand always: the outcome of a capture is told by a notification of its own."""
    kept = _is_kept(ask)
    model = _UNSCHEDULED if ask.series == "unscheduled" else _MODELS[ask.series]
    body: dict[str, Any] = {
        "amount": {"value": to_wire(ask.amount, ask.currency), "currency": ask.currency},
        "reference": _reference(ask.operation_key),
        "merchantOrderReference": ask.merchant_reference,
        "additionalData": {"manualCapture": "true"},
        "returnUrl": ask.return_url or settings().public_url,  # required even where no payer comes back
        "shopperInteraction": "Ecommerce" if ask.card else "ContAuth",
    }
    if ask.card:
        body["paymentMethod"] = _card(ask.card)
        if ask.scheme_transaction_id and ask.initiator == "merchant":
            body["additionalData"]["networkTxReference"] = ask.scheme_transaction_id
            body["shopperInteraction"] = "ContAuth"
        if kept:
            body |= {"storePaymentMethod": True, "shopperReference": ask.operation_key}
    else:
        assert ask.token, "authorising needs a card or a token"
        shopper, _, stored = ask.token.rpartition(":")
        body |= {
            "paymentMethod": {"type": "scheme", "storedPaymentMethodId": stored},
            "shopperReference": shopper,
        }
    if kept or not ask.card or ask.initiator == "merchant":
        body["recurringProcessingModel"] = model
    if ask.initiator == "payer":
        body |= _payer(ask.payer, ask.return_url)
    return {name: value for name, value in body.items() if value not in (None, "")}


def _is_kept(ask: Authorise) -> bool:
    first = ask.series in ("first", "unscheduled") and ask.initiator == "payer"
    return (ask.card is not None or ask.resume is not None) and (ask.store or first)


def _card(card: Card) -> dict[str, str]:
    raw = {
        "type": "scheme",
        "number": card.number,
        "expiryMonth": f"{card.expiry_month:02d}",
        "expiryYear": str(card.expiry_year),
        "cvc": card.security_code,
        "holderName": card.holder,
    }
    return {name: value for name, value in raw.items() if value}


def _payer(payer: Payer, return_url: str) -> dict[str, Any]:
    """The payer and the browser, for 3-D Secure by redirect. The page Adyen redirects to looks at the screen by
    itself; the sizes here only have to be there."""
    parts = urlsplit(return_url)
    known = {
        "channel": "Web",
        "origin": f"{parts.scheme}://{parts.netloc}" if parts.netloc else None,
        "returnUrl": return_url,
        "shopperEmail": payer.email,
        "shopperIP": payer.ip_address,
        "shopperLocale": {"de": "de-DE", "en": "en-GB"}.get(payer.language),
        "authenticationData": {"threeDSRequestData": {"nativeThreeDS": "disabled"}},
        "browserInfo": {
            "userAgent": payer.user_agent or "Mozilla/5.0",
            "acceptHeader": "*/*",
            "language": payer.language,
            "javaEnabled": False,
            "colorDepth": 24,
            "screenHeight": 720,
            "screenWidth": 1280,
            "timeZoneOffset": -60,
        },
    }
    return {name: value for name, value in known.items() if value}


def _reference(operation_key: str) -> str:
    assert len(operation_key) <= LONGEST_REFERENCE, "an operation key longer than Adyen's references"
    return operation_key


def _details(talk: Conversation, operation_key: str, resume: Resume) -> dict[str, Any]:
    """The payer is back. Without a result in the address nothing can be asked: only a notification can tell."""
    talk.reference = resume.provider_reference or None
    result = resume.parameters.get("redirectResult")
    if not result:
        raise talk.unknown("payer_came_back_without_result")
    key = hashlib.sha256(f"{operation_key}\0{result}".encode()).hexdigest()
    return talk.post("/payments/details", {"details": {"redirectResult": result}}, key=key, with_account=False)


def _answer(talk: Conversation, found: Mapping[str, Any], keep_for: str | None) -> Answer:
    """What /payments or /payments/details said. `keep_for`: the shopper to whom a token was to be given."""
    talk.reference = text(found.get("pspReference")) or talk.reference
    result = text(found.get("resultCode")) or ""
    outcome = RESULTS.get(result)
    if outcome is Outcome.PENDING:
        return Answer(outcome, provider_reference=talk.reference)
    if outcome is Outcome.ACTION:
        return Answer(outcome, provider_reference=talk.reference, action=_action(talk, found))
    if outcome is Outcome.DECLINED:
        return _refused(talk, found, result)
    if outcome is Outcome.APPROVED:
        return _approved(talk, found, keep_for)
    raise talk.unknown("provider_word_unknown", field="resultCode", word=masked(result, talk.hide))


def _approved(talk: Conversation, found: Mapping[str, Any], keep_for: str | None) -> Answer:
    more = part(found, "additionalData")
    brand = text(more.get("paymentMethod")) or text(part(found, "paymentMethod").get("brand"))
    return Answer(
        Outcome.APPROVED,
        provider_reference=talk.reference,
        amount=amount_of(part(found, "amount"))[0],
        token=_token(talk, more, keep_for) if keep_for else None,
        brand=BRANDS.get(brand or "", brand),
        last4=text(more.get("cardSummary")),
        funding=FUNDING.get(text(more.get("fundingSource")) or ""),
        issuer_country=text(more.get("cardIssuingCountry")) or text(more.get("issuerCountry")),
        scheme_transaction_id=text(more.get("networkTxReference")),
    )


def _refused(talk: Conversation, found: Mapping[str, Any], result: str) -> Answer:
    number, reason = text(found.get("refusalReasonCode")), found.get("refusalReason")
    code = REFUSALS.get(number or "")
    if code is None and result == "Cancelled":
        code = DeclineCode.PAYER_CANCELLED
    if code is None and result == "Error":
        raise talk.unknown("provider_word_unknown", field="refusalReasonCode", word=masked(number, talk.hide))
    if code is None:
        talk.note("provider_word_unknown", field="refusalReasonCode", word=masked(number, talk.hide))
    return talk.declined(code or DeclineCode.PROVIDER_DECLINED, number or result, reason)


def _action(talk: Conversation, found: Mapping[str, Any]) -> Action:
    action = part(found, "action")
    url, method = text(action.get("url")) or "", text(action.get("method"))
    if action.get("type") != "redirect" or urlsplit(url).scheme not in ("https", "http"):
        raise talk.unknown("provider_word_unknown", field="action", word=masked(action.get("type"), talk.hide))
    fields = {name: value for name, value in part(action, "data").items() if isinstance(value, str)}
    return Action(url=url, method="POST" if method == "POST" else "GET", fields=fields)


# Tokens: "shopper:stored payment method"; Adyen charges the second only together with the first


def _token(talk: Conversation, more: Mapping[str, Any], shopper: str) -> str | None:
    stored = text(more.get("tokenization.storedPaymentMethodId"))
    stored = stored or text(more.get("recurring.recurringDetailReference"))
    if stored:
        return f"{shopper}:{stored}"
    try:  # accounts that do not return it at once have it by now
        return _stored(talk, shopper)
    except Stopped:
        return None


def _stored(talk: Conversation, shopper: str) -> str | None:
    listed = talk.get("/storedPaymentMethods", {"shopperReference": shopper}).get("storedPaymentMethods")
    ids = [text(part(one).get("id")) for one in listed] if isinstance(listed, list) else []
    return f"{shopper}:{ids[0]}" if ids and ids[0] else None
