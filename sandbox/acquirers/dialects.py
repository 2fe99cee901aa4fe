"""How an answer looks on the wire. The acquirer thinks in one set of words; a dialect is a table.

Neutral: `status` is approved, declined, pending or action; `reason` is a word of cards.py or one of the
acquirer's own (already_captured, more_than_left ...). Amounts are integers in minor units everywhere.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

Picture = dict[str, Any]

# Two-character response codes of the card schemes (ISO 8583 field 39). "65" is brand-dependent: with
# Mastercard it is the soft decline, with Visa that is "1A".
_ISO_REASONS = {
    "do_not_honour": "05",
    "refused": "12",
    "amount_not_allowed": "13",
    "invalid_number": "14",
    "lost_card": "41",
    "stolen_card": "43",
    "account_closed": "46",
    "insufficient_funds": "51",
    "card_expired": "54",
    "not_permitted": "57",
    "suspected_fraud": "59",
    "limit_exceeded": "61",
    "invalid_security_code": "N7",
    "stop_recurring": "R1",
    "authentication_required": "1A",
}
_ISO_MASTERCARD = {"authentication_required": "65"}

_CAPITAL_REASONS = {
    "refused": "REFUSED",
    "insufficient_funds": "NOT_ENOUGH_BALANCE",
    "do_not_honour": "ISSUER_REFUSED",
    "card_expired": "EXPIRED_CARD",
    "invalid_number": "INVALID_CARD_NUMBER",
    "invalid_security_code": "CVC_DECLINED",
    "lost_card": "BLOCKED_CARD",
    "stolen_card": "BLOCKED_CARD",
    "limit_exceeded": "WITHDRAWAL_AMOUNT_EXCEEDED",
    "suspected_fraud": "FRAUD",
    "not_permitted": "TRANSACTION_NOT_PERMITTED",
    "authentication_required": "SCA_REQUIRED",
    "authentication_failed": "NOT_3D_AUTHENTICATED",
    "payer_cancelled": "SHOPPER_CANCELLED",
    "account_closed": "CLOSED_ACCOUNT",
    "stop_recurring": "REVOCATION_OF_AUTH",
}


@dataclass(frozen=True)
class Dialect:
    """`fields`, `words`, `reasons`: our word -> its word; what is missing stays as it is."""

    encoding: str = "json"
    fields: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    iso: bool = False
    declined_status: int = 200

    @property
    def content_type(self) -> str:
        return "application/json" if self.encoding == "json" else "application/x-www-form-urlencoded"


PLAIN = Dialect(declined_status=402)
CAPITALS = Dialect(
    fields={"status": "state", "reason": "refusalReason", "action_url": "redirectUrl"},
    words={"approved": "AUTHORISED", "declined": "REFUSED", "pending": "RECEIVED", "action": "REDIRECT_SHOPPER"},
    reasons=_CAPITAL_REASONS,
)
FORM = Dialect(
    encoding="form",
    fields={"status": "result", "reason": "reason_code"},
    words={"approved": "ACK", "declined": "NAK", "pending": "WAIT", "action": "3DS"},
)
WORDY = Dialect(
    words={"approved": "done", "declined": "rejected", "pending": "accepted", "action": "challenge"},
    declined_status=422,
)
ISO_CODES = Dialect(fields={"status": "response_code"}, words={"approved": "00"}, iso=True)

_dumps = json.JSONEncoder(separators=(",", ":")).encode


def encode(dialect: Dialect, picture: Picture) -> tuple[int, bytes]:
    """HTTP status and body of a neutral answer."""
    status = dialect.declined_status if picture.get("status") == "declined" else 200
    if dialect is not PLAIN:
        picture = _translated(dialect, picture)
    return status, encode_fields(dialect, picture)


def encode_fields(dialect: Dialect, fields: Picture) -> bytes:
    if dialect.encoding == "json":
        return _dumps(fields).encode()
    return urlencode(fields).encode()


def _translated(dialect: Dialect, picture: Picture) -> Picture:
    said = dict(picture)
    reason = said.get("reason")
    if dialect.iso and reason:
        brand_codes = _ISO_MASTERCARD if said.get("brand") == "mastercard" else {}
        code = brand_codes.get(reason) or _ISO_REASONS.get(reason)
        if code:
            said["status"] = code
            del said["reason"]
    elif reason:
        said["reason"] = dialect.reasons.get(reason, reason)
    said["status"] = dialect.words.get(said["status"], said["status"])
    return {dialect.fields.get(name, name): value for name, value in said.items()}
