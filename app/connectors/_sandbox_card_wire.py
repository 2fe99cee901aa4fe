"""Reading what a sandbox acquirer says: fields, words, numbers.

Nothing of a body that is not understood is logged or passed on: it may hold a card number.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from app.connectors._sandbox_card_words import (
    FIELD_NAMES,
    MASTERCARD_RESPONSE_CODES,
    OUTCOMES,
    REASONS,
    RESPONSE_CODES,
)
from app.connectors.kinds import DeclineCode, Outcome


class Garbled(Exception):
    """Not an answer that the protocol knows."""


def judged(fields: Mapping[str, Any]) -> tuple[Outcome, DeclineCode | None, str | None]:
    """Outcome, our reason, the acquirer's reason. Raises Garbled for a word that is in no table."""
    word, reason = text(fields, "status") or "", spoken(fields, "reason")
    response_codes = MASTERCARD_RESPONSE_CODES if text(fields, "brand") == "mastercard" else RESPONSE_CODES
    if word in response_codes:
        return Outcome.DECLINED, response_codes[word], word
    if word not in OUTCOMES:
        raise Garbled(f"unknown word {harmless(word)}")
    if OUTCOMES[word] is not Outcome.DECLINED:
        return OUTCOMES[word], None, None
    return Outcome.DECLINED, REASONS.get(reason or "", DeclineCode.PROVIDER_DECLINED), reason


def read(content_type: str, body: bytes) -> dict[str, Any]:
    """The fields of an answer or a notification under our names. Raises Garbled."""
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            fields: Any = dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
        else:
            fields = json.loads(body)
    except (ValueError, RecursionError):
        raise Garbled(f"unreadable answer of {len(body)} bytes") from None
    if not isinstance(fields, dict):
        raise Garbled("an answer without fields")
    return {FIELD_NAMES.get(str(name), str(name)): value for name, value in fields.items()}


def text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not (isinstance(value, str) and value.isprintable() and len(value) <= 500):
        raise Garbled(f"{name} is not a text")
    return value or None


def spoken(fields: Mapping[str, Any], name: str) -> str | None:
    """A text that is passed on to people; dropped if there might be a card number in it."""
    value = text(fields, name)
    return value if value and _digits(value) <= 6 else None


def number(fields: Mapping[str, Any], name: str) -> int | None:
    """A whole number of zero or more; form-encoded answers carry it as digits."""
    value = fields.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        value = int(value)
    if value is not None and (type(value) is not int or not 0 <= value < 10**12):
        raise Garbled(f"{name} is not a number")
    return value


def harmless(word: str) -> str:
    """A word that may be logged: short, and no card number."""
    return repr(word) if len(word) <= 40 and _digits(word) <= 6 else "(not shown)"


def _digits(word: str) -> int:
    return sum(map(str.isdigit, word))
