"""Cards: number, expiry, security code and the name on the card.

Number lengths and prefixes: ISO/IEC 7812; American Express has 15 digits and a code of four.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from app.connectors.kinds import Card
from app.core.card_numbers import luhn
from app.core.fields import Field
from app.core.texts import N_
from app.methods.kinds import Given, Method

LABEL = N_("Card")
ORDER = 10
NOTE = ""
SLOW = False
MARKS = ("visa", "mastercard", "amex")

NUMBER_MISSING = N_("Enter the card number.")
NUMBER_WRONG = N_("Check the card number. One of the digits seems to be wrong or missing.")
EXPIRY_MISSING = N_("Enter month and year as on the card, for example 08/29.")
EXPIRED = N_("This card has expired. Please check the date.")
CODE_MISSING = N_("Enter the 3 digits from the back of the card.")
CODE_MISSING_AMEX = N_("Enter the 4 digits from the front of the card.")
HOLDER_MISSING = N_("Enter the name as it stands on the card.")

FIELDS = (
    Field(
        "number",
        N_("Card number"),
        "cc-number",
        "numeric",
        longest=40,
        secret=True,
        says={"missing": NUMBER_MISSING, "wrong": NUMBER_WRONG},
    ),
    Field(
        "expiry",
        N_("Valid until (MM/YY)"),
        "cc-exp",
        "numeric",
        longest=7,
        wide=False,
        says={"missing": EXPIRY_MISSING, "wrong": EXPIRY_MISSING, "over": EXPIRED},
    ),
    Field(
        "code",
        N_("Security code"),
        "cc-csc",
        "numeric",
        help=N_("3 digits on the back"),
        longest=4,
        wide=False,
        secret=True,
        says={"missing": CODE_MISSING, "amex": CODE_MISSING_AMEX, "amex_help": N_("4 digits on the front")},
    ),
    Field("holder", N_("Name on the card"), "cc-name", longest=60, says={"missing": HOLDER_MISSING}),
)

_FURTHEST_YEARS = 30
# Prefix -> how many digits such a number has; all others 12 to 19.
_LENGTHS = ((r"4", (13, 16, 19)), (r"3[47]", (15,)), (r"5[1-5]", (16,)))


def read(typed: Mapping[str, str], today: date) -> Given:
    """A card, or what is wrong. Number and code are never kept; no other field may hold a number either."""
    number = re.sub(r"[\s\u00a0\u202f-]", "", typed.get("number", ""))
    code = typed.get("code", "").strip()
    holder = " ".join(typed.get("holder", "").split())
    expiry = _expiry(typed.get("expiry", ""), today)
    wrong: dict[str, str] = {}
    if not number:
        wrong["number"] = NUMBER_MISSING
    elif not _is_card_number(number):
        wrong["number"] = NUMBER_WRONG
    if expiry is None:
        wrong["expiry"] = EXPIRY_MISSING
    elif expiry < (today.year, today.month):
        wrong["expiry"] = EXPIRED
    american = number[:2] in ("34", "37")
    if not re.fullmatch(r"[0-9]{4}" if american else r"[0-9]{3}", code):
        wrong["code"] = CODE_MISSING_AMEX if american else CODE_MISSING
    if not _is_name(holder):
        wrong["holder"] = HOLDER_MISSING
    keep = {"holder": holder if "holder" not in wrong else ""}
    if expiry:
        keep["expiry"] = f"{expiry[1]:02d}/{expiry[0] % 100:02d}"
    if wrong:
        return Given(wrong=wrong, keep=keep)
    assert expiry
    card = Card(number=number, expiry_month=expiry[1], expiry_year=expiry[0], security_code=code, holder=holder)
    return Given(card=card, keep=keep)


def _is_card_number(number: str) -> bool:
    """Digits, as many as the brand has, with a right check digit (Luhn)."""
    lengths = next((lengths for start, lengths in _LENGTHS if re.match(start, number)), range(12, 20))
    if not re.fullmatch(r"[0-9]+", number) or len(number) not in lengths:
        return False
    return luhn(number) and len(set(number)) > 1


def _expiry(typed: str, today: date) -> tuple[int, int] | None:
    """`0829`, `8/29`, `08 / 2029` -> (2029, 8). None for what is no month and year, or too far ahead."""
    found = re.fullmatch(r"([0-9]{1,2})\s*[/.\-\s]\s*((?:20)?[0-9]{2})|([0-9]{2})((?:20)?[0-9]{2})", typed.strip())
    if found is None:
        return None
    month, year = int(found[1] or found[3]), int(found[2] or found[4])
    year += 2000 if year < 100 else 0
    return (year, month) if 1 <= month <= 12 and year <= today.year + _FURTHEST_YEARS else None


def _is_name(holder: str) -> bool:
    """Letters of any script. More than a digit or two is a number that slipped into the wrong field."""
    digits = sum(sign.isdigit() for sign in holder)
    return 2 <= len(holder) <= 60 and holder.isprintable() and any(map(str.isalpha, holder)) and digits <= 2


if TYPE_CHECKING:
    from app.methods import card as _me

    _: Method = _me
