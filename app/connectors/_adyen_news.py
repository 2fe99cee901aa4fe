"""Adyen's standard webhooks in our words.

Sources: Webhooks-v1.json of Adyen/adyen-openapi; docs.adyen.com/development-resources/webhooks/verify-hmac-signatures
(the eight signed values, joined by colons without escaping), /risk-management/disputes-api/dispute-notifications.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from app.connectors._adyen_words import (
    DEFENCE_OVER,
    DISPUTES,
    LOST_STATES,
    MOVES,
    REFUSALS,
    SILENT,
    amount_of,
    dispute_reason,
)
from app.connectors._reading import json_object, masked, part, text
from app.connectors.kinds import Contract, DeclineCode, DisputeNews, DisputeTurn, News, NewsKind, NewsRefused, Outcome

log = structlog.get_logger()

_SIGNED = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")


def read_news(
    contract: Contract, headers: Mapping[str, str], body: bytes, received_at: datetime | None = None
) -> list[News]:
    """Every item must be signed. Raises NewsRefused."""
    _check_password(contract, headers.get("authorization", ""))
    found = json_object(body)
    listed = part(found).get("notificationItems")
    if found is None or not isinstance(listed, list):
        raise NewsRefused("not a notification")
    items = [part(one, "NotificationRequestItem") for one in listed]
    key = _hmac_key(contract)
    for item in items:
        given = text(part(item, "additionalData").get("hmacSignature")) or ""
        if not hmac.compare_digest(signature(item, key).encode(), given.encode()):  # text() has no surrogates
            raise NewsRefused("wrong signature")
    if found.get("live") != ("true" if contract.live else "false"):
        _unread(contract, "news_of_other_mode", {})
        return []
    return [news for item in items for news in _read(contract, item)]


def signature(item: Mapping[str, Any], key: bytes) -> str:
    """base64(HMAC-SHA256(key, "psp:original:account:reference:value:currency:eventCode:success"))."""
    amount = part(item, "amount")
    values = [item.get(name) for name in _SIGNED]
    values += [amount.get("value"), amount.get("currency"), item.get("eventCode"), item.get("success")]
    signed = ":".join(str(value) if isinstance(value, str | int) else "" for value in values)
    return base64.b64encode(hmac.digest(key, signed.encode("utf-8", "surrogatepass"), hashlib.sha256)).decode()


def _hmac_key(contract: Contract) -> bytes:
    try:
        return binascii.unhexlify(contract.settings["hmac_key"])
    except ValueError:
        log.error("setting_invalid", provider="adyen", contract=contract.id, setting="hmac_key")
        raise NewsRefused("the HMAC key of the contract is not hexadecimal") from None


def _check_password(contract: Contract, given: str) -> None:
    user = contract.settings.get("news_user")
    if user:
        pair = f"{user}:{contract.settings.get('news_password', '')}"
        expected = "Basic " + base64.b64encode(pair.encode()).decode()
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise NewsRefused("wrong user or password")


def _read(contract: Contract, item: Mapping[str, Any]) -> list[News]:
    code = text(item.get("eventCode")) or ""
    if item.get("merchantAccountCode") != contract.settings["merchant_account"]:
        return _unread(contract, "news_of_other_account", item)
    if code in SILENT:
        log.info("news_not_needed", provider="adyen", contract=contract.id, news=code)
        return []
    if item.get("success") not in ("true", "false") or not text(item.get("pspReference")):
        return _unread(contract, "news_garbled", item)
    if code in DISPUTES:
        return _dispute(contract, item, DISPUTES[code])
    if code == DEFENCE_OVER and text(part(item, "additionalData").get("disputeStatus")) in LOST_STATES:
        return _dispute(contract, item, "lost")
    if code == "CANCEL_OR_REFUND":
        action = part(item, "additionalData").get("modification.action")
        code = {"cancel": "CANCELLATION", "refund": "REFUND"}.get(str(action), code)
    if code in MOVES:
        return [_move(item, code)] if part(item, "amount").get("value") else []  # of nothing: a card was registered
    return _unread(contract, "provider_word_unknown", item)


def _move(item: Mapping[str, Any], code: str) -> News:
    """AUTHORISATION and EXPIRE are about the payment itself, the others about a modification of it."""
    kind, outcome = MOVES[code]
    psp, original = text(item.get("pspReference")), text(item.get("originalReference"))
    if item.get("success") == "false":
        outcome = Outcome.DECLINED
    amount, currency = amount_of(part(item, "amount"))
    reason = masked(item.get("reason")) if outcome is Outcome.DECLINED else None
    decline = REFUSALS.get((reason or "").lower(), DeclineCode.PROVIDER_DECLINED)
    return News(
        id=f"{psp}:{item.get('eventCode')}:{item.get('success')}",
        kind=kind,
        outcome=outcome,
        amount=amount,
        currency=currency,
        occurred_at=_time(item.get("eventDate")),
        operation_key=_operation_key(kind, text(item.get("merchantReference")) if code != "EXPIRE" else None),
        provider_reference=None if code == "EXPIRE" else psp,
        authorisation_reference=psp if code == "AUTHORISATION" else original or (psp if code == "EXPIRE" else None),
        code=decline if outcome is Outcome.DECLINED else DeclineCode.EXPIRED if code == "EXPIRE" else None,
        provider_code=reason,
    )


def _operation_key(kind: NewsKind, reference: str | None) -> str | None:
    """Our references: the key itself for a payment, "capture.<key>" for a capture. A modification whose notification
    carries the payment's reference is found by Adyen's own."""
    if kind == "authorise":
        return reference
    verb, _, key = (reference or "").partition(".")
    return key if verb == kind and key else None


def _dispute(contract: Contract, item: Mapping[str, Any], turn: DisputeTurn) -> list[News]:
    """The payment is `originalReference`; where accounts leave it out, `pspReference` is the payment's."""
    if item.get("success") == "false":
        return _unread(contract, "provider_word_unknown", item)
    more, psp = part(item, "additionalData"), text(item.get("pspReference")) or ""
    amount, currency = amount_of(part(item, "amount"))
    scheme_code = text(more.get("chargebackReasonCode")) or text(more.get("rfiReasonCode"))
    dispute = DisputeNews(
        turn=turn,
        provider_reference=psp,
        reason=dispute_reason(scheme_code, masked(item.get("reason"))),
        respond_by=_time(more.get("defensePeriodEndsAt")),
    )
    return [
        News(
            id=f"{psp}:{item.get('eventCode')}",
            kind="dispute",
            outcome=Outcome.APPROVED,
            amount=amount,
            currency=currency,
            occurred_at=_time(item.get("eventDate")),
            authorisation_reference=text(item.get("originalReference")) or psp,
            provider_reference=text(more.get("capturePspReference")),
            dispute=dispute,
        )
    ]


def _time(written: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo else None


def _unread(contract: Contract, what: str, item: Mapping[str, Any]) -> list[News]:
    log.warning(what, provider="adyen", contract=contract.id, news=masked(item.get("eventCode")))
    return []
