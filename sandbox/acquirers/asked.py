"""Reading a request: amounts, texts, addresses and cards. Whatever is wrong raises Refused."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.core.money import EXPONENTS, LARGEST_MINOR
from sandbox.acquirers.acquirer import Acquirer, Refused
from sandbox.acquirers.cards import CARD_BY_NAME, CARD_BY_NUMBER, UNLISTED, PublishedCard

Asked = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CardAsked:
    """`rule` is how this card goes. It is another card's where date or security code were typed wrongly."""

    rule: PublishedCard
    token: str
    last4: str
    brand: str


def money(asked: Asked) -> tuple[int, str]:
    """Amount in minor units and currency."""
    amount, currency = asked.get("amount"), asked.get("currency")
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < amount <= LARGEST_MINOR:
        raise Refused(422, "invalid", "amount")
    if not isinstance(currency, str) or currency not in EXPONENTS:
        raise Refused(422, "invalid", "currency")
    return amount, currency


def text(asked: Asked, name: str) -> str:
    value = asked.get(name) or ""
    if not isinstance(value, str) or len(value) > 500:
        raise Refused(422, "invalid", name)
    return value


def url(asked: Asked, name: str) -> str:
    value = text(asked, name)
    if value and not (value.startswith(("http://", "https://")) and value.isascii() and value.isprintable()):
        raise Refused(422, "invalid", name)
    return value


def initiator(asked: Asked) -> str:
    value = asked.get("initiator", "payer")
    if value not in ("payer", "merchant"):
        raise Refused(422, "invalid", "initiator")
    return value


def card(acquirer: Acquirer, asked: Asked) -> CardAsked:
    token, raw = asked.get("token"), asked.get("card")
    if isinstance(token, str):
        rule = acquirer.book.tokens.get(token)
        if rule is None:
            raise Refused(404, "unknown_token", "token")
        return CardAsked(rule, token, rule.last4, rule.brand)
    number = raw.get("number") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(number, str) or not _looks_like_card_number(number):
        raise Refused(422, "invalid_card", "card.number")
    listed = CARD_BY_NUMBER.get(number, UNLISTED)
    brand = listed.brand if listed is not UNLISTED else _brand(number)
    token = f"{acquirer.letter.name}_tok_{acquirer.fingerprint(number.encode())}"
    return CardAsked(_mistyped(acquirer, raw, brand) or listed, token, number[-4:], brand)


def _mistyped(acquirer: Acquirer, raw: dict[str, Any], brand: str) -> PublishedCard | None:
    month, year, code = raw.get("expiry_month"), raw.get("expiry_year"), raw.get("security_code")
    if not isinstance(month, int) or not isinstance(year, int) or not 1 <= month <= 12 or not 1900 < year < 2200:
        raise Refused(422, "invalid_card", "card.expiry_month")
    today = datetime.fromtimestamp(acquirer.book.now(), UTC)
    if (year, month) < (today.year, today.month):
        return CARD_BY_NAME["card_expired"]
    if code is not None and not _is_digits(code, 4 if brand == "amex" else 3):
        return CARD_BY_NAME["invalid_security_code"]
    return None


def _looks_like_card_number(number: str) -> bool:
    return 12 <= len(number) <= 19 and number.isascii() and number.isdigit()


def _is_digits(code: object, length: int) -> bool:
    return isinstance(code, str) and len(code) == length and code.isascii() and code.isdigit()


def _brand(number: str) -> str:
    if number.startswith("4"):
        return "visa"
    if number.startswith(("34", "37")):
        return "amex"
    return "mastercard" if number.startswith(("5", "2")) else "unknown"
