"""Card numbers where none belongs: recognised, refused in texts that are stored, blanked in logs (PCI DSS 3.5)."""

import re
from collections.abc import Iterator

from app.core.errors import Refusal
from app.core.texts import N_

# Brands by how their numbers begin, with the lengths they have (ISO/IEC 7812; the brands' own tables). Thirteen digits
# are left out: no brand has issued such numbers for decades, and every article has a number (EAN) of that length.
_BRANDS = re.compile(
    r"4(?:\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12})"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|09|[689]\d)\d{11}(?:\d\d)?|35(?:2[89]|[3-8]\d)\d{12}"  # Diners Club, JCB
    r"|(?:6\d|50|5[6-8])\d{14,17}"  # Discover, UnionPay, Maestro
)
_DIGITS = re.compile(r"(?<!\w)(?<!\d[.,])\d(?:[ -]?\d){13,}(?!\w)(?![.,]\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")


class CardNumberInText(Refusal):
    code = "card_number_in_text"
    message = N_("This text holds what looks like a card number. It was not stored.")
    advice = N_("Leave the number out; the last four digits say which card is meant.")


def luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(value - 9 if value > 9 else value for value in doubled)) % 10 == 0


def holds_card_number(text: str) -> bool:
    """14 to 19 digits with a right check digit that begin like a card's, together or in groups (spaces, dashes)."""
    found = _DIGITS.finditer(_IBAN.sub(" ", text))
    return any(_BRANDS.fullmatch(digits) and luhn(digits) for run in found for digits in _in_groups(run.group()))


def refuse_card_number(text: str, param: str | None = None) -> None:
    """Raises CardNumberInText."""
    if holds_card_number(text):
        raise CardNumberInText(param=param)


def _in_groups(run: str) -> Iterator[str]:
    """What neighbouring groups make together: in `12 4242 4242 4242 4242` the first belongs to the words before."""
    groups = re.split(r"[ -]", run)
    for first in range(len(groups)):
        for last in range(first + 1, min(first + 20, len(groups)) + 1):
            yield "".join(groups[first:last])
